import { expect, test } from "bun:test";
import type { Container } from "../container.ts";
import { labelTest } from "./filter.ts";

const labelled = (Labels: Record<string, string>): Container =>
  ({ spec: { config: { Labels } } }) as unknown as Container;

test("a label is one that the container was given, not one that every object has", () => {
  for (const name of ["toString", "constructor", "__proto__"]) {
    expect(labelTest(name)(labelled({ a: "1" }))).toBe(false);
    expect(labelTest(name)(labelled(JSON.parse(`{"${name}":"1"}`)))).toBe(true);
  }
  expect(labelTest("a")(labelled({ a: "1" }))).toBe(true);
  expect(labelTest("a=1")(labelled({ a: "1" }))).toBe(true);
  expect(labelTest("a=2")(labelled({ a: "1" }))).toBe(false);
});
