import { expect, test } from "bun:test";
import { stringify } from "./json.ts";

test("a 64-bit integer is written as a number without loss", () => {
  expect(stringify({ timeNano: 1795324830859239802n, rest: ["a", null] })).toBe(
    '{"timeNano":1795324830859239802,"rest":["a",null]}',
  );
});
