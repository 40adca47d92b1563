import { expect, test } from "bun:test";
import { Linter } from "./linter.ts";

const line = (number: number) => ({ start: { line: number }, end: { line: number } }) as never;

test("what was found is told once, as soon as it is asked for", () => {
  const linter = new Linter("Dockerfile", { skip: new Set(), experimental: new Set(), error: false });
  linter.report("MaintainerDeprecated", line(2));
  expect(linter.untold().map(({ rule }) => rule)).toEqual(["MaintainerDeprecated"]);
  linter.report("LegacyKeyValueFormat", line(3), "ENV");
  expect(linter.untold().map(({ rule }) => rule)).toEqual(["LegacyKeyValueFormat"]);
  expect(linter.untold()).toEqual([]);
  expect(linter.warnings).toHaveLength(2);
});
