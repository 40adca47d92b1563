import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localDestination, localSource, plan, renamed, splitArgument, splitEntry } from "./paths.ts";

const place = (path: string, kind?: "file" | "folder") => ({
  path,
  exists: kind !== undefined,
  isFolder: kind === "folder",
  rebaseName: "",
});

test("a colon names a container, unless the path is plainly local", () => {
  expect(splitArgument("c:/x")).toEqual({ container: "c", path: "/x" });
  expect(splitArgument("./c:/x").container).toBe("");
  expect(splitArgument("/c:/x").container).toBe("");
});
test("into a folder that is there, an archive goes as it is", () => {
  expect(plan(place("/a/f", "file"), place("/d", "folder"))).toEqual({ folder: "/d", rename: undefined });
});
test("onto a file or a new name, the entry takes that name", () => {
  expect(plan(place("/a/f", "file"), place("/d/g", "file"))).toEqual({
    folder: "/d",
    rename: { from: "f", to: "g" },
  });
  expect(plan(place("/a/f", "folder"), place("/d/new"))).toEqual({
    folder: "/d",
    rename: { from: "f", to: "new" },
  });
});
test("what cannot be is refused", () => {
  expect(() => plan(place("/a", "folder"), place("/d/f", "file"))).toThrow("cannot copy directory");
  expect(() => plan(place("/a", "file"), place("/d/"))).toThrow("no such directory");
});
test("the first part of an entry's name is changed, and only that", () => {
  const rename = { from: "a", to: "b" };
  expect(["a", "a/", "a/x", "ab", "c/a"].map((name) => renamed(name, rename))).toEqual([
    "b",
    "b/",
    "b/x",
    "ab",
    "c/a",
  ]);
  expect(splitEntry("/a/b/.")).toEqual(["/a/b", "."]);
});

test("a device is no place to copy to: the copy would take its place", () => {
  expect(() => localDestination("/dev/null")).toThrow(
    'invalid output path: "/dev/null" must be a directory or a regular file: got a device',
  );
});

test("a link that leads nowhere is refused by what is missing", () => {
  const folder = mkdtempSync(join(tmpdir(), "berth-paths-"));
  try {
    symlinkSync("nowhere", join(folder, "link"));
    expect(() => localSource(join(folder, "link"), true)).toThrow(`lstat ${folder}/nowhere: no such file`);
    expect(localSource(join(folder, "link"), false).exists).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what is asked for below a file is told as docker tells it", () => {
  const folder = mkdtempSync(join(tmpdir(), "berth-paths-"));
  const file = join(folder, "file");
  try {
    writeFileSync(file, "");
    for (const end of ["/", "/.", "/x"]) {
      expect(() => localSource(file + end, false)).toThrow(/^not a directory$/);
      expect(() => localDestination(file + end)).toThrow(`stat ${file}${end}: not a directory`);
    }
    expect(localDestination(file).exists).toBe(true);
    expect(localDestination(join(folder, "new/")).exists).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
