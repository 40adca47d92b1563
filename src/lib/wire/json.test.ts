import { expect, test } from "bun:test";
import { stringify, stringifyPlain } from "./json.ts";

test("a 64-bit integer is written as a number without loss", () => {
  for (const write of [stringify, stringifyPlain])
    expect(write({ timeNano: 1795324830859239802n, rest: ["a", null] })).toBe(
      '{"timeNano":1795324830859239802,"rest":["a",null]}',
    );
});
