import { expect, test } from "bun:test";
import { isRunnableAs, parsePlatform } from "./platform.ts";

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

// recorded from Docker 28.5.2: `create --platform` with images imported for each
const asked = ["linux/386", "linux/amd64", "linux/amd64/v2", "linux/amd64/v4", "linux/amd64/x"].concat([
  "linux/arm",
  "linux/arm/v6",
  "linux/arm/v8",
  "linux/arm64",
  "linux/arm64/v9",
]);
const fitting: [image: string, variant: string | undefined, platforms: string][] = [
  ["386", undefined, "linux/386 linux/amd64 linux/amd64/v2 linux/amd64/v4 linux/amd64/x"],
  ["amd64", undefined, "linux/amd64 linux/amd64/v2 linux/amd64/v4 linux/amd64/x"],
  ["amd64", "v3", "linux/amd64/v4"],
  ["arm", "v7", "linux/arm linux/arm/v8 linux/arm64 linux/arm64/v9"],
  ["arm64", undefined, "linux/arm64 linux/arm64/v9"],
];
test.each(fitting)(
  "an image for %s %s is taken where Docker takes it",
  (architecture, variant, platforms) => {
    const image = { os: "linux", architecture, ...(variant ? { variant } : {}) };
    expect(asked.filter((each) => isRunnableAs(image, parsePlatform(each))).join(" ")).toBe(platforms);
  },
);
