import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingHierarchies } from "./missing.ts";
import { type CgroupHost, giveBack, mountHeld } from "./prepare.ts";

const controllers =
  "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t3\t1\nhugetlb\t0\t1\t1\nnet_cls\t0\t1\t1\nrdma\t0\t1\t0\n";
const mounts =
  "30 25 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n31 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

test("a controller that version 2 holds on a version 1 host is missing there", () => {
  expect(missingHierarchies({ controllers, mounts, unified: "hugetlb\n" })).toEqual({
    held: ["hugetlb"],
    unmounted: ["net_cls"],
  });
  expect(missingHierarchies({ controllers, mounts, unified: "" }).held).toEqual([]);
});

describe("on a mixed host", () => {
  let root = "";
  let calls: string[] = [];
  let refuse = false;
  const record = (): string => join(root, "record.json");
  const host = (): CgroupHost => ({
    root,
    readFacts: () => ({ controllers, mounts, unified: "hugetlb" }),
    mount: (folder, controller) => {
      if (refuse) throw new Error("EBUSY");
      mkdirSync(folder);
      calls.push(`mount ${controller}`);
    },
    unmount: (folder) => {
      calls.push("unmount");
      rmSync(folder, { recursive: true });
    },
  });
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "cgroups-"));
    calls = [];
    refuse = false;
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test("the missing hierarchy is mounted, told, and taken away again", async () => {
    expect(await mountHeld(host(), record())).toEqual([
      `cgroup controller hugetlb was held by version 2 on a version 1 host: mounted at ${root}/hugetlb`,
    ]);
    await giveBack(host(), record());
    expect(calls).toEqual(["mount hugetlb", "unmount"]);
    expect(existsSync(record())).toBe(false);
  });

  test("it stays while a group of anyone's is in it", async () => {
    await mountHeld(host(), record());
    mkdirSync(join(root, "hugetlb/docker"));
    await giveBack(host(), record());
    expect(calls).toEqual(["mount hugetlb"]);
    expect(existsSync(record())).toBe(true);
  });

  test("one that cannot be mounted is a warning", async () => {
    refuse = true;
    expect(await mountHeld(host(), record())).toEqual([
      "cgroup controller hugetlb is held by version 2 and cannot be moved: EBUSY",
    ]);
    expect(existsSync(record())).toBe(false);
  });
});
