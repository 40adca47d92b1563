import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holdBeneath } from "../../../system/files/beneath.ts";
import { holderOf, parseMountinfo } from "./propagation.ts";
import { isLocalPath, subpathSource } from "./subpath.ts";

test("a subpath is relative and stays where it starts", () => {
  for (const good of ["a", "a/b", ".", "a/../b"]) expect(isLocalPath(good)).toBe(true);
  for (const bad of ["", "/a", "..", "../a", "a/../../b"]) expect(isLocalPath(bad)).toBe(false);
});

test("what is below a folder is held by descriptor: links inside are followed, those that lead out refused", () => {
  const base = mkdtempSync(join(tmpdir(), "berth-subpath-"));
  try {
    mkdirSync(join(base, "a/b"), { recursive: true });
    writeFileSync(join(base, "a/b/file"), "");
    symlinkSync("a/b", join(base, "in"));
    symlinkSync("/etc", join(base, "out"));
    symlinkSync("../../etc", join(base, "up"));
    const held = holdBeneath(base, "in");
    if (typeof held === "string") throw new Error(held);
    // whoever swaps the link now is too late
    rmSync(join(base, "in"));
    symlinkSync("/etc", join(base, "in"));
    expect(readdirSync(`${held.path}/.`)).toEqual(["file"]);
    held.close();
    for (const path of ["in", "out", "up"]) expect(holdBeneath(base, path)).toBe("escapes");
    expect(holdBeneath(base, "no")).toBe("missing");
    const refused = () => subpathSource(base, base, "no", () => undefined);
    expect(refused).toThrow(`cannot access path ${base}/no: lstat ${base}/no: no such file or directory`);
  } finally {
    rmSync(base, { recursive: true });
  }
});

test("the mount that a path is on is the deepest, and of those at one point the last", () => {
  const mounts = parseMountinfo(
    [
      "1 0 254:0 / / rw shared:1 - ext4 /dev/vda rw",
      "2 1 0:5 / /a rw - tmpfs tmpfs rw",
      "3 1 0:6 / /a rw master:1 - tmpfs tmpfs rw",
      "4 1 0:7 / /a\\040b rw shared:2 - tmpfs tmpfs rw",
    ].join("\n"),
  );
  expect(holderOf(mounts, "/ab")).toEqual({ point: "/", shared: true, slave: false });
  expect(holderOf(mounts, "/a/x")).toEqual({ point: "/a", shared: false, slave: true });
  expect(holderOf(mounts, "/a b")?.shared).toBe(true);
});
