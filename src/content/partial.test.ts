import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPartial } from "./partial.ts";

const folder = mkdtempSync(join(tmpdir(), "berth-partial-"));
afterAll(() => rmSync(folder, { recursive: true }));
const mebibyte = 1024 * 1024;

test("what is appended after the end is not kept", async () => {
  for (const end of ["close", "discard"] as const) {
    const path = join(folder, end);
    const partial = await openPartial(path, () => undefined);
    await partial.append(Buffer.alloc(10));
    await partial[end]();
    await partial.append(Buffer.alloc(3 * mebibyte));
    expect(partial.size).toBe(10);
    expect(existsSync(path) ? readFileSync(path).length : 0).toBe(end === "close" ? 10 : 0);
  }
});

test("an end while bytes are being appended waits for them, and no file outlives a discard", async () => {
  for (const end of ["close", "discard"] as const) {
    const path = join(folder, `${end}-meanwhile`);
    const partial = await openPartial(path, () => undefined);
    const appending = partial.append(Buffer.alloc(4 * mebibyte + 5, 7));
    await partial[end]();
    await appending;
    if (end === "discard") expect(existsSync(path)).toBeFalse();
    else expect(readFileSync(path).length).toBe(partial.size);
  }
});
