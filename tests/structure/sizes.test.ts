import { expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";

/** A file has one concern. Wire shapes and data tables are exempt: they are long because the facts are many. */
const hardLimit = 400;
const exempt = new Set<string>(["types/api.ts"]);
const isTable = (file: string): boolean => exempt.has(file) || /(-table|-data|-words)\.ts$/.test(file);

const source = join(import.meta.dir, "../../src");

test(`no source file is longer than ${hardLimit} lines`, async () => {
  const long: string[] = [];
  for await (const file of new Glob("**/*.ts").scan(source)) {
    if (file.endsWith(".test.ts") || isTable(file)) continue;
    const lines = (await Bun.file(join(source, file)).text()).split("\n").length - 1;
    if (lines > hardLimit) long.push(`${file}: ${lines}`);
  }
  expect(long.sort()).toEqual([]);
});

test("nothing tells the compiler or the linter to look away", async () => {
  const loose: string[] = [];
  for await (const file of new Glob("{src,tests,scripts}/**/*.ts").scan(join(source, ".."))) {
    if (file.startsWith("tests/structure/")) continue;
    const text = await Bun.file(join(source, "..", file)).text();
    if (/@ts-(ignore|nocheck|expect-error)|\bas any\b/.test(text)) loose.push(file);
  }
  expect(loose.sort()).toEqual([]);
});
