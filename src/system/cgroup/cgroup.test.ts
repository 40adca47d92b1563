import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CgroupTree } from "./cgroup.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cgroup-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function group(path: string, pids: string): void {
  mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, path, "cgroup.procs"), pids);
}

test("pids are those of a group and of the groups below it", () => {
  group("pids/a", "1\n2\n");
  group("pids/a/inner", "3\n");
  expect(new CgroupTree(root, "v1").pids("a")).toEqual([1, 2, 3]);
  expect(new CgroupTree(root, "v1").pids("none")).toEqual([]);
});

test("kills for want of memory are counted in either version's file", () => {
  group("memory/a", "");
  writeFileSync(join(root, "memory/a/memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  expect(new CgroupTree(root, "v1").oomKills("a")).toBe(2);
  group("b", "");
  writeFileSync(join(root, "b/memory.events"), "low 0\noom 1\noom_kill 1\n");
  expect(new CgroupTree(root, "v2").oomKills("b")).toBe(1);
  expect(new CgroupTree(root, "v2").oomKills("gone")).toBe(0);
});

test("a group is removed from every hierarchy, the inner ones first", () => {
  for (const controller of ["cpu", "memory"]) mkdirSync(join(root, controller, "a/b"), { recursive: true });
  const tree = new CgroupTree(root, "v1");
  expect(tree.children("")).toEqual(["a"]);
  expect(tree.remove("a")).toBe(true);
  expect(existsSync(join(root, "cpu/a"))).toBe(false);
  expect(tree.remove("a")).toBe(true);
});
