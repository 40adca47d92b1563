import { afterAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildId } from "./build-id.ts";

const root = await mkdtemp(join(tmpdir(), "berth-build-id-"));
afterAll(() => rm(root, { recursive: true }));

const write = (file: string, text: string): Promise<number> => Bun.write(join(root, file), text);
const id = (): Promise<string> => buildId("1.0", "", root);

const sources = [
  "src/main.ts",
  "src/deep/er/part.ts",
  "src/launcher/launcher.c",
  "src/launcher/text.h",
  "scripts/build.ts",
  "scripts/lib/launcher/graft.ts",
  "package-lock.json",
];
for (const file of sources) await write(file, "one");

test.each(sources)("another %s makes another build", async (file) => {
  const before = await id();
  await write(file, "other");
  expect(await id()).not.toBe(before);
  await write(file, "one");
  expect(await id()).toBe(before);
});

test("tests make no other build, and no sources none at all", async () => {
  const before = await id();
  await write("src/main.test.ts", "one");
  expect(await id()).toBe(before);
  expect(before).toStartWith("1.0-source-");
  await expect(buildId("1.0", "", join(root, "src/deep"))).rejects.toThrow("no sources");
});
