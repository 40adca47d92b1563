import { expect, test } from "bun:test";
import { baseOf, linkStays, parentOf, pathWithin } from "./names.ts";

test("names become paths below the root", () => {
  for (const [name, path] of [
    ["a/b", "a/b"],
    ["./a//b/", "a/b"],
    ["/a", "a"],
    ["./", ""],
    ["/", ""],
    ["a/../b", "b"],
    ["a/./b/..", "a"],
  ] as const)
    expect(pathWithin(name)).toBe(path);
});

test("names that leave the root are refused", () => {
  for (const name of ["..", "../a", "a/../../b", "/../a", "./../.."])
    expect(() => pathWithin(name)).toThrow(/outside/);
  expect(() => pathWithin("n".repeat(4096))).toThrow(/4096 bytes long/);
});

test("a symlink stays when its text ends below the root", () => {
  expect(linkStays("a/b/link", "../../c")).toBe(true);
  expect(linkStays("a/link", "/etc/passwd")).toBe(true);
  expect(linkStays("a/b/link", "../../../c")).toBe(false);
  expect(linkStays("link", "..")).toBe(false);
  expect(linkStays("link", "/../x")).toBe(false);
});

test("a path splits into parent and base", () => {
  expect([parentOf("a/b/c"), baseOf("a/b/c")]).toEqual(["a/b", "c"]);
  expect([parentOf("a"), baseOf("a")]).toEqual(["", "a"]);
});
