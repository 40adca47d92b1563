import { expect, test } from "bun:test";
import { matchGlob } from "./glob.ts";

const cases: [pattern: string, name: string, matches: boolean][] = [
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*c", "abc", true],
  ["a*", "a", true],
  ["a*", "ab/c", false],
  ["a*/b", "abc/b", true],
  ["a*/b", "a/c/b", false],
  ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["a?b", "a☺b", true],
  ["a[^a]b", "a☺b", true],
  ["a???b", "a☺b", false],
  ["[a-ζ]*", "α", true],
  ["a?b", "a/b", false],
  ["[\\]a]", "]", true],
  ["[x\\-]", "-", true],
  ["", "", true],
  ["*x", "xxx", true],
];
for (const [pattern, name, matches] of cases)
  test(`${pattern} ${matches ? "matches" : "does not match"} ${name}`, () => {
    expect(matchGlob(pattern, name)).toBe(matches);
  });

test("a pattern that is none is refused", () => {
  for (const bad of ["[", "[a", "[]a]", "[-]", "[x-]", "[-x]", "\\", "[^", "a["])
    expect(() => matchGlob(bad, "a")).toThrow(new Error("syntax error in pattern"));
});
