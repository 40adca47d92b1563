import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { folderWithin } from "./folder.ts";

test("a folder of a context never is one of the host's", () => {
  const tree = mkdtempSync(join(tmpdir(), "berth-context-"));
  try {
    mkdirSync(join(tree, "sub/etc"), { recursive: true });
    symlinkSync("/etc", join(tree, "absolute"));
    symlinkSync("../../../../../../etc", join(tree, "sub/relative"));
    expect(folderWithin(tree, "")).toBe(tree);
    expect(folderWithin(tree, "sub")).toBe(join(tree, "sub"));
    for (const path of ["/etc", "../../../../etc", "absolute", "sub/relative"])
      expect(folderWithin(tree, path)).toBe(join(tree, "etc"));
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
});
