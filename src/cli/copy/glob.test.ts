import { expect, test } from "bun:test";
import type { TarEntry } from "../../lib/tar/entry.ts";
import { GlobFilter, splitPattern } from "./glob.ts";

const entry = (name: string, more: Partial<TarEntry> = {}): TarEntry =>
  ({ type: name.endsWith("/") ? "directory" : "file", name, linkName: "", ...more }) as TarEntry;

function passed(pattern: string, names: (string | TarEntry)[]): string[] {
  const got: string[] = [];
  const filter = new GlobFilter(pattern, {
    entry: ({ name }) => void got.push(name),
    data: () => void got.push("data"),
    end: () => undefined,
  });
  for (const one of names) {
    filter.entry(typeof one === "string" ? entry(one) : one);
    filter.end();
  }
  return got;
}

test("a pattern begins where its first special character is, and never goes up", () => {
  expect(splitPattern("/var/log/*.log")).toEqual({ folder: "/var/log", pattern: "*.log" });
  expect(splitPattern("*/x")).toEqual({ folder: "/", pattern: "*/x" });
  expect(() => splitPattern("/var/log")).toThrow("no pattern");
  expect(() => splitPattern("/var/*/../../etc")).toThrow("may not go up");
});

test("what matches passes, with the folders above it and all below it", () => {
  const names = [
    "./",
    "./a/",
    "./a/x.log",
    "./a/y",
    "./b/",
    "./b/z",
    "./c.log",
    "./d/",
    "./d/e/",
    "./d/e/f.log",
  ];
  expect(passed("*.log", names)).toEqual(["./c.log"]);
  expect(passed("*/*.log", names)).toEqual(["./a/", "./a/x.log"]);
  expect(passed("**/*.log", names)).toEqual([
    "./a/",
    "./a/x.log",
    "./c.log",
    "./d/",
    "./d/e/",
    "./d/e/f.log",
  ]);
  expect(passed("{b,d}", names)).toEqual(["./b/", "./b/z", "./d/", "./d/e/", "./d/e/f.log"]);
});

test("a link passes as a link; a hard link to what is left out is refused", () => {
  const link = entry("./l.log", { type: "symlink", linkName: "/etc/passwd" });
  expect(passed("*.log", [link, entry("./l.log/x.log")])).toEqual(["./l.log"]);
  const hard = entry("./h.log", { type: "hardlink", linkName: "./a" });
  expect(() => passed("*.log", ["./a", hard])).toThrow("h.log is a link to a, which the pattern leaves out");
});
