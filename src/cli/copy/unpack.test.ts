import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TarEntry } from "../../lib/tar/entry.ts";
import { endOfArchive, headerOf, tarEntry } from "../../lib/tar/writer.ts";
import { unpack } from "./unpack.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "berth-unpack-"));
  writeFileSync(join(folder, "kept"), "mine");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function* archive(entry: Parameters<typeof tarEntry>[0]): AsyncGenerator<Uint8Array> {
  yield headerOf(tarEntry(entry));
  yield endOfArchive;
}

test.each(["file", "symlink", "fifo"] satisfies TarEntry["type"][])(
  "an archive that names the folder itself as a %s is refused and nothing goes",
  async (type) => {
    for (const name of [".", "a/.."]) {
      const entry = { type, name, linkName: "/etc" };
      const done = unpack(archive(entry), { folder, rename: undefined, replaces: true }, false);
      await expect(done).rejects.toThrow(
        `cannot overwrite directory ${JSON.stringify(folder)} with non-directory`,
      );
      expect(readFileSync(join(folder, "kept"), "utf8")).toBe("mine");
    }
  },
);

test("what is of another kind gives way where that was asked for", async () => {
  const entry = { type: "directory", name: "kept", mode: 0o755 } as const;
  const refused = unpack(archive(entry), { folder, rename: undefined }, false);
  await expect(refused).rejects.toThrow("cannot overwrite non-directory");
  await unpack(archive(entry), { folder, rename: undefined, replaces: true }, false);
  expect(() => readFileSync(join(folder, "kept"))).toThrow("EISDIR");
});
