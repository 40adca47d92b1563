import { expect, test } from "bun:test";
import { parseReference, withDefaultTag } from "../../lib/image/reference.ts";
import { imageReference } from "./image-reference.ts";

const names = [
  "debian",
  "debian:12.5",
  "a",
  "0",
  "busybox:latest",
  "x:y",
  "x:1..2",
  "a.b",
  "a-b:c",
  "h/a:b",
  "reg:5000/a",
];

for (const name of names)
  test(`${name} is read as the grammar reads it`, () => {
    expect(imageReference(name)).toEqual(withDefaultTag(parseReference(name)));
  });

for (const name of ["", ":", "a:", "a:.b", ":b", "A", "a:b:c", "a b"])
  test(`${JSON.stringify(name)} is refused as the grammar refuses it`, () => {
    expect(() => imageReference(name)).toThrow(message(() => parseReference(name)));
  });

test("an id is no reference", () => {
  expect(imageReference("a".repeat(64))).toBeUndefined();
});

function message(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it is a reference");
}
