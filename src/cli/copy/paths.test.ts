import { expect, test } from "bun:test";
import { plan, renamed, splitArgument, splitEntry } from "./paths.ts";

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
