import { expect, test } from "bun:test";
import { durationNs, formatGoDuration, parseGoDuration } from "./duration.ts";

test("Go durations are read and written", () => {
  expect(["1h2m3s", "1.5s", "300ms", "0", "-1s", "1m30s"].map(parseGoDuration)).toEqual([
    3723e9, 1.5e9, 3e8, 0, -1e9, 90e9,
  ]);
  expect([3723e9, 1.5e9, 3e8, 0, 90e9, 1500].map(formatGoDuration)).toEqual([
    "1h2m3s",
    "1.5s",
    "300ms",
    "0s",
    "1m30s",
    "1.5µs",
  ]);
});

test("what is no duration is refused in Go's words", () => {
  expect(() => parseGoDuration("x")).toThrow('time: invalid duration "x"');
  expect(() => parseGoDuration("5")).toThrow('time: missing unit in duration "5"');
  expect(() => parseGoDuration("5y")).toThrow('time: unknown unit "y" in duration "5y"');
});

test("a duration is exact to its nanosecond, and what is below one is left out", () => {
  expect(durationNs("2562047h47m16.854775807s")).toBe(9_223_372_036_854_775_807n);
  expect(durationNs("-.3h1.9ns")).toBe(-1_080_000_000_001n);
  for (const none of ["", "-", "5", ".s", "1.2.3s", "9".repeat(300), "2562047h47m16.854775808s"])
    expect(durationNs(none)).toBeUndefined();
});
