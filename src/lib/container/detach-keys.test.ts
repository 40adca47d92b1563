import { expect, test } from "bun:test";
import { DetachFilter, parseDetachKeys } from "./detach-keys.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

test("keys are letters and ctrl-combinations; anything else is refused", () => {
  expect([...parseDetachKeys("ctrl-p,ctrl-q")]).toEqual([16, 17]);
  expect([...parseDetachKeys("a,ctrl-@,ctrl-_")]).toEqual([97, 0, 31]);
  expect(() => parseDetachKeys("odd")).toThrow("Invalid detach keys (odd) provided");
});

test("a key is one byte, or DEL by its name", () => {
  expect([...parseDetachKeys("a,DEL")]).toEqual([97, 127]);
  expect(() => parseDetachKeys("é")).toThrow("Invalid detach keys (é) provided");
});

test("the sequence is found across writes, and what only begins like it is passed on", () => {
  const filter = new DetachFilter(parseDetachKeys("ctrl-p,ctrl-q"));
  expect(filter.push(bytes(1, 16))).toEqual({ pass: bytes(1), detached: false });
  expect(filter.push(bytes(2))).toEqual({ pass: bytes(16, 2), detached: false });
  expect(filter.push(bytes(16, 16))).toEqual({ pass: bytes(16), detached: false });
  expect(filter.push(bytes(17, 9))).toEqual({ pass: bytes(), detached: true });
});
