import { expect, test } from "bun:test";
import { compareNaturally } from "./natural-order.ts";

/** As `docker volume ls` has them. */
const sorted =
  "ps-1 ps-1a ps-01 ps-001 ps-10 ps-Ba ps-Z ps-a1 ps-a1b ps-a1b2 ps-a1b10 ps-a01b ps-a01b1 ps-a2 ps-a9 ps-a09 ps-a10 ps-a-1 ps-a.1 ps-a_1 ps-aa ps-z";

test("names are in Docker's order, whatever order they came in", () => {
  const names = sorted.split(" ");
  expect(names.toReversed().sort(compareNaturally)).toEqual(names);
  expect(names.toSorted().sort(compareNaturally)).toEqual(names);
});

test("any two are told apart the same way from both sides, and only equal ones are equal", () => {
  const names = ["", "0", "00", "a", "a0", ...sorted.split(" ")];
  for (const a of names)
    for (const b of names) {
      expect(Math.sign(compareNaturally(a, b)) + Math.sign(compareNaturally(b, a))).toBe(0);
      expect(compareNaturally(a, b) === 0).toBe(a === b);
    }
});
