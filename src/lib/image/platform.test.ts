import { expect, test } from "bun:test";
import { parsePlatform } from "./platform.ts";

test("platforms have one spelling, and their system may have a version", () => {
  expect(parsePlatform("linux/arm64/v8")).toEqual({ os: "linux", architecture: "arm64" });
  expect(parsePlatform("Linux/x86_64")).toEqual({ os: "linux", architecture: "amd64" });
  expect(parsePlatform("armhf")).toEqual({ os: "linux", architecture: "arm", variant: "v7" });
  expect(parsePlatform("linux(6.1)/386")).toEqual({ os: "linux", architecture: "386" });
});

// recorded from Docker 28.5.2
const system =
  'OSAndVersion specifier component must match "^([A-Za-z0-9_-]+)(?:\\\\(([A-Za-z0-9_.-]*)\\\\))?$": invalid argument';
const other = 'platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument';
const wrong: [platform: string, sentence: string][] = [
  ["a%", `"a%" is an invalid OS component of "a%": ${system}`],
  ["a.b/c", `"a.b" is an invalid OS component of "a.b/c": ${system}`],
  ["%/a/b/c", `"%" is an invalid OS component of "%/a/b/c": ${system}`],
  ["a/b%", `"b%" is an invalid component of "a/b%": ${other}`],
  ["bogus/", `"" is an invalid component of "bogus/": ${other}`],
  ["bogus", '"bogus": unknown operating system or architecture: invalid argument'],
  ["bogus/x/y/z", '"bogus/x/y/z": cannot parse platform specifier: invalid argument'],
];
test.each(wrong)("%s is refused as Docker refuses it", (platform, sentence) => {
  expect(() => parsePlatform(platform)).toThrow(sentence);
});
