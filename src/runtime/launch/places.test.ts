import { expect, test } from "bun:test";
import { keptPoints } from "./places.ts";

const line = (point: string, type = "ext4"): string =>
  `36 35 98:0 / ${point} rw,noatime master:1 - ${type} /dev/root rw`;

test("what leads to the engine's folders is kept, and the system's own mounts, parents first", () => {
  const text = [
    line("/"),
    line("/proc", "proc"),
    line("/sys/fs/cgroup/memory", "cgroup"),
    line("/sys", "sysfs"),
    line("/var"),
    line("/var/lib/engine"),
    line("/usr"),
    line("/media/disk"),
    "",
  ].join("\n");
  expect(keptPoints(text, ["/var/lib/engine", "/run/engine"])).toEqual([
    "/proc",
    "/sys",
    "/var",
    "/usr",
    "/var/lib/engine",
    "/sys/fs/cgroup/memory",
  ]);
});

test("of the engine's folders, mounts directly in them are kept and containers' are not", () => {
  const mounts = [
    "/data/snapshots",
    "/data/snapshots/ab/merged",
    "/exec/netns/ab",
    "/data/containers/ab/shm",
  ];
  expect(keptPoints(mounts.map((point) => line(point)).join("\n"), ["/data", "/exec"])).toEqual([
    "/data/snapshots",
  ]);
});

test("a name is not taken for the folder whose name it begins with", () => {
  expect(keptPoints([line("/usrlocal"), line("/var/lib/eng")].join("\n"), ["/var/lib/engine"])).toEqual([]);
});

test("places that mount by themselves are left alone, and blanks in names are read", () => {
  const text = [line("/proc/sys/fs/binfmt_misc", "autofs"), line("/usr/a\\040b")].join("\n");
  expect(keptPoints(text, [])).toEqual(["/usr/a b"]);
});
