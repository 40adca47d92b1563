import { expect, test } from "bun:test";
import { binarySize, humanDuration, humanSize, parseRamSize } from "./units.ts";

test("sizes are shown in powers of 1000 with few digits", () => {
  expect([0, 999, 1984000, 5000, 1e9, 123456789].map((size) => humanSize(size))).toEqual([
    "0B",
    "999B",
    "1.984MB",
    "5kB",
    "1GB",
    "123.5MB",
  ]);
  expect([1984000, 2048, 119000000].map((size) => humanSize(size, 3))).toEqual(["1.98MB", "2.05kB", "119MB"]);
});

test("memory is shown in powers of 1024", () => {
  expect([0, 64 * 2 ** 20, 1536].map(binarySize)).toEqual(["0B", "64MiB", "1.5KiB"]);
});

test("sizes are read in powers of 1024 whatever their suffix says", () => {
  const texts = ["64m", "1g", "1.5k", "100", "100b", "2kb", "1GiB", "4 MB"];
  expect(texts.map(parseRamSize)).toEqual([64 << 20, 2 ** 30, 1536, 100, 100, 2048, 2 ** 30, 4 << 20]);
});

test("what is no size is refused in docker's words", () => {
  for (const text of ["busybox", "-5", "", "m"])
    expect(() => parseRamSize(text)).toThrow(`invalid size: '${text}'`);
  expect(() => parseRamSize("64x")).toThrow("invalid suffix: 'x'");
});

test("spans of time are told in words", () => {
  const spans: [number, string][] = [
    [0.5, "Less than a second"],
    [1, "1 second"],
    [59, "59 seconds"],
    [60, "About a minute"],
    [119, "About a minute"],
    [150, "2 minutes"],
    [3600, "About an hour"],
    [7200, "2 hours"],
    [47 * 3600, "47 hours"],
    [48 * 3600, "2 days"],
    [14 * 86400, "2 weeks"],
    [60 * 86400, "2 months"],
    [730 * 86400, "2 years"],
  ];
  for (const [seconds, words] of spans) expect(humanDuration(seconds)).toBe(words);
});
