import { describe, expect, test } from "bun:test";
import { compilePattern } from "./pattern.ts";

/** Patterns whose meaning the runtime's own engine shares: both must agree on every text. */
const patterns = [
  "",
  "a",
  "^a",
  "a$",
  "^a$",
  "^/?web$",
  "a|b",
  "^(a|b)+$",
  "a.c",
  "[a-c]+",
  "[^a-c]",
  "^[a-z0-9_.-]{3,5}$",
  "x{2}",
  "x{2,}",
  "^x{0,2}$",
  "a+?b",
  "(?:ab)*c",
  "\\d+",
  "\\bfoo\\b",
  "\\.",
  "[\\d_]+$",
  "^(a*)*$",
  "(a|ab)(c|bcd)",
  "a{",
  "[]a]",
  "()",
  "(|a)b",
  "^(?:a|b|)$",
  "\\w\\W\\w",
  "a\\sb",
  "[.-]",
  "é",
];
const texts = [
  "",
  "a",
  "b",
  "ab",
  "abc",
  "aXc",
  "web",
  "/web",
  "xx",
  "xxx",
  "foo bar",
  "my_db-1.2",
  "food",
  "a\nc",
  "]",
  "a{",
  "é",
  "abcd",
];

describe("patterns", () => {
  for (const pattern of patterns)
    test(`${JSON.stringify(pattern)} matches what a regular expression matches`, () => {
      if (pattern === "[]a]")
        return expect(texts.filter((text) => compilePattern(pattern)?.(text))).toContain("]");
      const expected = texts.filter((text) => new RegExp(pattern).test(text));
      expect(texts.filter((text) => compilePattern(pattern)?.(text))).toEqual(expected);
    });

  test("a pattern that is none gives no matcher", () => {
    for (const bad of [
      "(",
      ")",
      "[a",
      "*a",
      "a**b(",
      "x{2,1}",
      "x{1001}",
      "\\",
      "(?=a)",
      "[[:nope:]]",
      "[b-a]",
    ])
      expect(compilePattern(bad)).toBeUndefined();
  });

  test("Go's own forms are understood", () => {
    expect(compilePattern("(?i)WEB")?.("my-web")).toBe(true);
    expect(compilePattern("^[[:alpha:]]+\\z")?.("abc")).toBe(true);
    expect(compilePattern("(?P<n>a)b")?.("ab")).toBe(true);
  });

  test("a pattern that ruins a backtracking engine takes no time", () => {
    const begin = performance.now();
    expect(compilePattern("^(a+)+$")?.(`${"a".repeat(5000)}b`)).toBe(false);
    expect(compilePattern("(a|a|aa)*c")?.("a".repeat(5000))).toBe(false);
    expect(performance.now() - begin).toBeLessThan(10_000); // and not a year
  });
});
