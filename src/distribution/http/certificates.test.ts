import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tlsFiles } from "./certificates.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "berth-certs-"));
  folders.push(folder);
  mkdirSync(join(folder, "r:5000"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "r:5000", name), text);
  return folder;
}

test("authorities and client certificates are the registry's own", async () => {
  const folder = folderWith({ "ca.crt": "CA", "me.cert": "CERT", "me.key": "KEY" });
  const files = await tlsFiles("r:5000", ["/nonexistent", folder]);
  expect(files.ca?.at(-1)).toBe("CA");
  expect([files.cert, files.key]).toEqual([["CERT"], ["KEY"]]);
  expect(await tlsFiles("r:5001", [folder])).toEqual({});
});

test("half a client certificate is refused in Docker's words", async () => {
  await expect(tlsFiles("r:5000", [folderWith({ "me.cert": "CERT" })])).rejects.toThrow(
    "missing key me.key for client certificate me.cert",
  );
  await expect(tlsFiles("r:5000", [folderWith({ "me.key": "KEY" })])).rejects.toThrow(
    "missing client certificate me.cert for key me.key",
  );
});
