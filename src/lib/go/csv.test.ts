import { expect, test } from "bun:test";
import { parseCsv } from "./csv.ts";

test("a record is split at its commas, but within quotes", () =>
  expect(parseCsv('a,"b,""c""",')).toEqual(["a", 'b,"c"', ""]));

test("quotes that go wrong are told by the column that Go tells", () => {
  const wrong = (text: string, column: number) =>
    expect(() => parseCsv(text)).toThrow(`parse error on line 1, column ${column}: `);
  wrong('type=volume,"src=a"b', 19);
  wrong('type=volume,"src=ab', 20);
  wrong('a,b"c', 4);
});
