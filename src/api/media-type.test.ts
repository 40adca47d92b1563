import { expect, test } from "bun:test";
import { mediaTypeFault } from "./media-type.ts";

test("parameters are names with plain or quoted values, and a last semicolon may stand alone", () => {
  for (const rest of ["", ";", " ; ", ";a=b", '; a = "b\\"; c" ; d=e ;  '])
    expect([rest, mediaTypeFault(`a/b${rest}`)]).toEqual([rest, undefined]);
  for (const rest of [";;", ";a", ";a=", ';a="b', ";a=b c", ";a=b;;", "; x=y z=1"])
    expect([rest, mediaTypeFault(`a/b${rest}`)]).toEqual([rest, "invalid media parameter"]);
});

test("long runs of blanks, names and quotes are read once", () => {
  const many = 300_000;
  for (const rest of [
    `${" ".repeat(many)}x`,
    `a=b${" ".repeat(many)}x`,
    `a=b;${" ".repeat(many)}=`,
    `a${" ".repeat(many)}x`,
    "a".repeat(many),
    `a="${"\\".repeat(many)}`,
    ";".repeat(many),
  ])
    expect(mediaTypeFault(`application/json;${rest}`)).toBe("invalid media parameter");
  expect(mediaTypeFault(`application/json${";a=b".repeat(many)}`)).toBeUndefined();
});
