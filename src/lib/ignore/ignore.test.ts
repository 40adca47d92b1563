import { describe, expect, test } from "bun:test";
import { parseIgnoreFile } from "./ignore-file.ts";
import { type FolderMatch, IgnoreMatcher } from "./matcher.ts";
import { compileTokens, follow, parseIgnorePattern } from "./pattern.ts";

const matched: [pattern: string, yes: string[], no: string[]][] = [
  ["**", ["a", "a/b", ".x"], []],
  ["**/", ["a", "a/b"], []],
  ["dir", ["dir", "dir/a", "dir/a/b"], ["dirs", "a/dir"]],
  ["dir/*", ["dir/a", "dir/a/b"], ["dir", "dirs/a"]],
  ["dir/**", ["dir/a", "dir/a/b"], ["dir", "dirs/a"]],
  ["dir**", ["dir", "dirs", "dir/a/b"], ["xdir"]],
  ["**/dir", ["dir", "a/dir", "a/b/dir", "a/dir/x"], ["adir", "a/bdir", "dirs"]],
  ["**dir", ["dir", "adir", "a/bdir"], ["dirs"]],
  ["**dir*", ["dir", "dirs", "a/dirs"], ["adir", "a/bdir"]],
  ["**/**/x", ["x", "a/x", "a/b/x"], ["ax"]],
  ["**/*.txt", ["a.txt", "d/a.txt", "d/e/a.txt"], ["a.txtx", "txt"]],
  ["**/f*.txt*", ["f.txt", "a/foo.txt.gz", "a/foo.txt/b"], ["a/txt", "xf.txt"]],
  ["a**/*.txt", ["a/f.txt", "a/b/c/f.txt"], ["ab/f.txt.gz", "b/f.txt"]],
  ["a**b", ["ab", "a/b", "ax/y/b"], ["axb"]],
  ["a/*.txt", ["a/f.txt", "a/f.txt/x"], ["a/b/f.txt"]],
  ["a/*/c", ["a/b/c", "a/x/c/d"], ["a/c", "a/b/x/c"]],
  ["*", ["a", "a/b"], []],
  ["*.md", ["a.md", ".md", "a.md/b"], ["a/b.md", "amd"]],
  [".*", [".git", ".git/x"], ["git", "a/.git"]],
  ["a?c", ["abc", "aéc", "a😀c"], ["ac", "a/c", "abbc"]],
  ["a[b-d]e", ["ace"], ["ae", "aze", "aae"]],
  ["a[^b-d]e", ["aze", "a/e"], ["ace"]],
  ["[a-ζ]", ["α", "z"], ["A"]],
  ["[\\]a]", ["]", "a"], ["b"]],
  ["[\\-x]", ["-", "x"], ["a"]],
  ["a\\*b", ["a*b"], ["ab", "axb"]],
  ["a\\\\", ["a\\"], ["a"]],
  ["a.b", ["a.b"], ["axb"]],
  ["a(b)c+d|e$f{g}", ["a(b)c+d|e$f{g}"], ["abccd"]],
  ["dist/x.py-2.4.0+g08-py3.whl", ["dist/x.py-2.4.0+g08-py3.whl"], ["dist/x.py-2.4.0ggg08-py3.whl"]],
  ["./a/../b/", ["b", "b/c"], ["a"]],
  ["  a  ", ["a"], [" a"]],
];

describe("an ignore pattern", () => {
  for (const [pattern, yes, no] of matched)
    test(pattern, () => {
      const matcher = new IgnoreMatcher([pattern]);
      expect(yes.filter((path) => !matcher.excludes(path))).toEqual([]);
      expect(no.filter((path) => matcher.excludes(path))).toEqual([]);
    });

  for (const pattern of [
    "[",
    "[^",
    "[^bc",
    "a[",
    "[]a]",
    "[-]",
    "[x-]",
    "[-x]",
    "[a-b-c]",
    "\\",
    "[l-O]",
    "!",
  ])
    test(`${pattern} is none`, () => {
      expect(() => new IgnoreMatcher([pattern])).toThrow(/syntax error in pattern|illegal exclusion pattern/);
    });

  test("with many wildcards is as quick as its length", () => {
    const matcher = new IgnoreMatcher([`${"**/*a".repeat(100)}b`, "**/**/**/x", "*a*a*a*b"]);
    expect(matcher.step("a/".repeat(1000), undefined).excluded).toBe(false);
    expect(matcher.excludes("a".repeat(250))).toBe(false);
  });

  test("means the same by expression and by following it", () => {
    const seed = Math.trunc(Math.random() * 2 ** 31);
    const next = generator(seed);
    const pick = (from: readonly string[]) => from[Math.trunc(next() * from.length)] ?? "";
    for (let round = 0; round < 3000; round++) {
      const pattern = Array.from({ length: 1 + next() * 5 }, () =>
        pick(["a", "/", "*", "**", "?", "[ab]", "b"]),
      );
      const path = Array.from({ length: 1 + next() * 6 }, () => pick(["a", "b", "/", "c"])).join("");
      const tokens = parseIgnorePattern(pattern.join(""));
      if (compileTokens(tokens)(path) !== follow(tokens, path))
        throw new Error(`${pattern.join("")} on ${path} differs, seed ${seed}`);
    }
  });
});

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

const lists: [patterns: string[], out: string[], stays: string[]][] = [
  [
    ["**", "!a/b"],
    ["a", "x"],
    ["a/b", "a/b/c"],
  ],
  [
    ["**", "!a/b", "a/b/c"],
    ["a/b/c", "x"],
    ["a/b", "a/b/d"],
  ],
  [["*", "!*.md", "README.md"], ["a", "README.md"], ["b.md"]],
  [
    ["a", "!a/keep"],
    ["a", "a/x"],
    ["a/keep", "a/keep/y"],
  ],
  [["!a", "a"], ["a"], ["b"]],
  [["a", "!a"], [], ["a", "a/b"]],
  [["**/node_modules", "!x/node_modules/y"], ["node_modules", "x/node_modules/z"], ["x/node_modules/y"]],
];

describe("a list of ignore patterns", () => {
  for (const [patterns, out, stays] of lists)
    test(patterns.join(" "), () => {
      const matcher = new IgnoreMatcher(patterns);
      expect(out.filter((path) => !matcher.excludes(path))).toEqual([]);
      expect(stays.filter((path) => matcher.excludes(path))).toEqual([]);
    });

  test("decides the same path by path and folder by folder", () => {
    const seed = Math.trunc(Math.random() * 2 ** 31);
    const next = generator(seed);
    const pick = (from: readonly string[]) => from[Math.trunc(next() * from.length)] ?? "";
    for (let round = 0; round < 2000; round++) {
      const patterns = Array.from({ length: 1 + next() * 4 }, () => pick(["", "!"]) + pick(somePatterns));
      const parts = Array.from({ length: 1 + next() * 4 }, () => pick(["a", "b", "c"]));
      const matcher = new IgnoreMatcher(patterns);
      let folder: FolderMatch | undefined;
      let excluded = false;
      for (let end = 1; end <= parts.length; end++) {
        const path = parts.slice(0, end).join("/");
        const above = parts.slice(0, end - 1).join("/");
        const wasOut = excluded;
        ({ excluded, match: folder } = matcher.step(path, folder));
        if (wasOut && !excluded && !matcher.mayReinclude(above))
          throw new Error(`${patterns} takes ${path} in again without saying so of ${above}, seed ${seed}`);
      }
      const path = parts.join("/");
      if (excluded !== matcher.excludes(path))
        throw new Error(`${patterns} on ${path} differs, seed ${seed}`);
    }
  });

  test("tells which pattern decided", () => {
    const matcher = new IgnoreMatcher(["x", "", "a", "!a/b"]);
    expect(["a/c", "a/b/d", "e"].map((path) => matcher.why(path))).toEqual([2, 3, undefined]);
  });

  test("tells which folders need not be read", () => {
    const matcher = new IgnoreMatcher(["**", "!src/lib/**", "!docs/a.md", "!x*/y"]);
    const open = ["src", "src/lib", "src/lib/deep", "docs", "xa", "srcs", "src/bin", "docs/b"];
    expect(open.filter((folder) => matcher.mayReinclude(folder))).toEqual(["src", "src/lib", "docs", "xa"]);
  });
});

const somePatterns = ["a", "b", "*", "**", "a/b", "a/*", "**/c", "*/b", "a/**", "[ab]/c", "?/b/c", "**/b/*"];

describe("an ignore file", () => {
  test("is read line by line", () => {
    const text = "\ufeff# c\n  # no comment\n\n /a/ \n!  /b/../c/ \nd\r\n/\n!\n*";
    expect(parseIgnoreFile(text)).toEqual([
      { pattern: "# no comment", line: 2 },
      { pattern: "a", line: 4 },
      { pattern: "!c", line: 5 },
      { pattern: "d", line: 6 },
      { pattern: "/", line: 7 },
      { pattern: "!", line: 8 },
      { pattern: "*", line: 9 },
    ]);
  });
});

test("a pattern that is longer than any path is refused before it is taken apart", () => {
  expect(() => new IgnoreMatcher(["a/".repeat(40_000)])).toThrow(
    "an ignore pattern of 80000 characters is too long",
  );
});

test("more patterns than anybody writes are refused", () => {
  expect(() => new IgnoreMatcher(Array.from({ length: 10_001 }, (_, at) => `x${at}/**`))).toThrow(
    "more than 10000",
  );
});
