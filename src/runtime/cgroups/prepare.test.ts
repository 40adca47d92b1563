import { describe, expect, test } from "bun:test";
import { missingHierarchies } from "./missing.ts";
import { type CgroupHost, mountHeld } from "./prepare.ts";

const controllers =
  "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t3\t1\nhugetlb\t0\t1\t1\nnet_cls\t0\t1\t1\nrdma\t0\t1\t0\n";
const mounts =
  "30 25 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n31 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

test("a controller that version 2 holds on a version 1 host is missing there", () => {
  expect(missingHierarchies({ controllers, mounts, unified: "hugetlb\n" })).toEqual({
    held: ["hugetlb"],
  });
  expect(missingHierarchies({ controllers, mounts, unified: "" }).held).toEqual([]);
});

test("so is one whose hierarchy lives on without a mount", () => {
  const lingering = controllers.replace("hugetlb\t0", "hugetlb\t11");
  expect(missingHierarchies({ controllers: lingering, mounts, unified: "" }).held).toEqual(["hugetlb"]);
});

describe("on a mixed host", () => {
  const host = (mount: CgroupHost["mount"]): CgroupHost => ({
    root: "/cgroup",
    readFacts: () => ({ controllers, mounts, unified: "hugetlb" }),
    mount,
  });

  test("the missing hierarchy is mounted and told", () => {
    const calls: string[] = [];
    expect(mountHeld(host((folder, controller) => calls.push(`${controller} ${folder}`)))).toEqual([
      "cgroup controller hugetlb had no version 1 hierarchy mounted, which crun needs here: mounted at /cgroup/hugetlb",
    ]);
    expect(calls).toEqual(["hugetlb /cgroup/hugetlb"]);
  });

  test("one that cannot be mounted is a warning", () => {
    const refusing = host(() => {
      throw new Error("EBUSY");
    });
    expect(mountHeld(refusing)).toEqual([
      "cgroup controller hugetlb has no version 1 hierarchy mounted, and it cannot be: EBUSY",
    ]);
  });
});
