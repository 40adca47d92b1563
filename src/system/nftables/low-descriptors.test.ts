import { afterEach, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { linkOf, moveBack, moveLow, reserveLowDescriptors } from "./low-descriptors.ts";

const taken: number[] = [];
afterEach(() => {
  for (const fd of taken.splice(0)) closeSync(fd);
});

test("a low number is had again and again after all others are used up", () => {
  reserveLowDescriptors();
  for (let fd = 0; fd < 1100; ) {
    fd = openSync("/dev/null", "r");
    taken.push(fd);
  }
  for (let round = 0; round < 20; round++) {
    const low = moveLow(openSync("/dev/null", "r"), 1);
    expect(low).toBeLessThan(1024);
    expect(linkOf(low)).toBe("/dev/null");
    const high = moveBack(low, 1);
    expect([high >= 1024, linkOf(high)]).toEqual([true, "/dev/null"]);
    closeSync(high);
  }
});

test("what is low already stays where it is", () => {
  expect(moveLow(3, 0)).toBe(3);
  expect(moveBack(3, 0)).toBe(3);
});

test("a process that may have too few is told how many it needs", () => {
  expect(() => reserveLowDescriptors(256)).toThrow("needs 1024 open files or more and may have 256");
});
