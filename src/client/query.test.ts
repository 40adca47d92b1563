import { expect, test } from "bun:test";
import { filterQuery } from "./query.ts";

test("filters are grouped by their key, whatever it is", () => {
  expect(filterQuery([])).toBeUndefined();
  const filters = ["label", "label", "__proto__"].map((key, at) => ({ key, value: `v${at}` }));
  expect(filterQuery(filters)).toBe('{"label":{"v0":true,"v1":true},"__proto__":{"v2":true}}');
});
