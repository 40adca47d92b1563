import { expect, test } from "bun:test";
import { EngineError } from "../../lib/errors.ts";
import { inGo } from "./failure.ts";
import { goFileMode } from "./file-mode.ts";
import { rfc3339 } from "./path-stat.ts";
import { absolutePath, cleaned, isWithin, lastName, memberName } from "./paths.ts";

test("what is at a path's end survives cleaning", () => {
  for (const [path, absolute] of [
    ["d", "/d"],
    ["/d/", "/d/"],
    ["/d/.", "/d/."],
    ["/d/./", "/d/./"],
    ["/", "/"],
    [".", "/."],
    ["/.", "/."],
    ["..", "/"],
    ["../../etc/../d//f", "/d/f"],
  ] as const)
    expect(absolutePath(path)).toBe(absolute);
});

test("a cleaned path never leaves the root", () => {
  for (const path of ["..", "../../x/..", "/..", "", "/"]) expect(cleaned(path)).toBe("/");
  expect(cleaned("a/b/")).toBe("/a/b");
});

test("the last name is what is written, not what it means", () => {
  expect(["/", "//", ".", "..", "/d/", "/d/.", "/d/f"].map(lastName)).toEqual([
    "/",
    "/",
    ".",
    "..",
    "d",
    ".",
    "f",
  ]);
});

test("members of the root, of a folder's content and of a folder get their names", () => {
  expect([memberName("/", "a"), memberName(".", "a"), memberName("d", "a"), memberName("", "a")]).toEqual([
    "/a",
    "./a",
    "d/a",
    "a",
  ]);
});

test("a path is within a folder by whole names", () => {
  expect(isWithin("/vol", "/vol")).toBe(true);
  expect(isWithin("/vol", "/vol/a")).toBe(true);
  expect(isWithin("/vol", "/volume")).toBe(false);
  expect(isWithin("/", "/a")).toBe(true);
});

test("modes are told as Go's", () => {
  expect(goFileMode(0o040755)).toBe(2147484141);
  expect(goFileMode(0o104755)).toBe(8389101);
  expect(goFileMode(0o120777)).toBe(134218239);
  expect(goFileMode(0o010644)).toBe(33554852);
  expect(goFileMode(0o041777)).toBe(2148532735);
  expect(goFileMode(0o020666)).toBe(2 ** 26 + 2 ** 21 + 0o666);
});

test("times outside of what a date can hold are told as the nearest", () => {
  expect(rfc3339({ s: 0, ns: 120 })).toBe("1970-01-01T00:00:00.00000012Z");
  expect(rfc3339({ s: -1, ns: 500_000_000 })).toBe("1969-12-31T23:59:59.5Z");
  expect(rfc3339({ s: 2 ** 62, ns: 0 })).toBe("9999-12-31T23:59:59Z");
});

test("the kernel's errors and bad archives are worded as Docker words them", () => {
  const failed = Object.assign(new EngineError("internal", "RemoveAll hosts: EBUSY"), { code: "EBUSY" });
  expect(inGo(failed)).toMatchObject({ message: "RemoveAll hosts: device or resource busy", code: "EBUSY" });
  const bad = new EngineError("invalid", 'archive/tar: invalid tar header: unknown entry type "V"');
  expect(inGo(bad)).toMatchObject({ message: "unhandled tar header type 86", kind: "internal" });
  const worse = new EngineError("invalid", "archive/tar: invalid tar header: the checksum does not match");
  expect(inGo(worse)).toMatchObject({ message: "archive/tar: invalid tar header", kind: "internal" });
});
