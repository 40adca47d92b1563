import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MountEntry, parseMountEntries } from "./mount-table.ts";
import { reach } from "./reach.ts";

const never = new Promise<void>(() => undefined);
const root: MountEntry = { device: "8:1", root: "/", point: "/", type: "ext4", options: [] };
const remote = (device: string, point: string, type = "nfs4"): MountEntry => ({
  device,
  root: "/",
  point,
  type,
  options: [],
});
const table =
  (...entries: MountEntry[]) =>
  async () => [root, ...entries];

/** What is asked of these mounts for these paths. */
async function askedOf(entries: MountEntry[], paths: string[]): Promise<string[]> {
  const asked: string[] = [];
  const ask = async (path: string): Promise<void> => void asked.push(path);
  await reach(paths, { mounts: table(...entries), ask });
  return asked;
}

const refusal = (attempt: Promise<void>): Promise<string> => attempt.then(() => "none", String);

test("the file systems of this machine answer, what is there and what is not", async () => {
  await reach(["/", "/no/such/path", "relative", "/proc/self", "/tmp/../etc"]);
});

test("what is on the way to a path is asked where it may hang, and nothing else", async () => {
  const mounts = [
    remote("0:50", "/srv"),
    remote("0:51", "/media/bert", "fuse.sshfs"),
    remote("0:52", "/sys/fs/fuse/connections", "fusectl"),
    remote("0:53", "/mnt"),
    remote("8:2", "/mnt", "xfs"), // covers the one before
    remote("8:3", "/srv/disk", "ext4"), // reached through a remote one
  ];
  const asked = ["/srv", "/srv/a/b", "/srv/disk/c", "/etc/../srv/d", "/media/bert/e"];
  const not = ["/", "/srvice", "/etc", "/mnt/f", "/sys/fs/fuse/connections/1"];
  expect((await askedOf(mounts, [...asked, ...not])).sort()).toEqual([...asked].sort());
});

test("a remote root is not asked", async () => {
  expect(await askedOf([remote("0:60", "/", "9p")], ["/", "/etc"])).toEqual([]);
});

test("links are followed to what they lead to, without end they lead nowhere", async () => {
  const folder = mkdtempSync(join(tmpdir(), "reach-"));
  try {
    symlinkSync("/far/away", join(folder, "absolute"));
    symlinkSync("../../../../../../far", join(folder, "relative"));
    symlinkSync("circle", join(folder, "circle"));
    const paths = ["absolute/x", "relative", "circle"].map((name) => join(folder, name));
    expect((await askedOf([remote("0:70", "/far")], paths)).sort()).toEqual(paths.slice(0, 2));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("one that hangs is told, then refused at once with no other question until it answers; others are asked", async () => {
  const asked: string[] = [];
  let answer: () => void = () => undefined;
  const ask = (path: string): Promise<void> => {
    asked.push(path);
    if (!path.startsWith("/dead")) return Promise.resolve();
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  const mounts = table(remote("0:80", "/dead"), remote("0:81", "/well"));
  const tries = ["/dead/a", "/dead/a", "/dead/b"].map((path) =>
    refusal(reach([path], { mounts, ask, limitMs: 20 })),
  );
  expect((await Promise.all(tries))[2]).toContain("stat /dead/b: its file system does not answer");
  expect(await refusal(reach(["/dead/c"], { mounts, ask, limitMs: 60_000 }))).toContain("stat /dead/c");
  await reach(["/well"], { mounts, ask });
  expect(asked).toEqual(["/dead/a", "/well"]);
  answer();
  await Bun.sleep(1);
  const again = reach(["/dead/c"], { mounts, ask, limitMs: 60_000 });
  while (asked.length < 3) await Bun.sleep(1);
  answer();
  await again;
});

test("paths of one file system are asked for one after another", async () => {
  let open = 0;
  let most = 0;
  const ask = async (): Promise<void> => {
    most = Math.max(most, ++open);
    await Bun.sleep(1);
    open--;
  };
  await reach(["/nfs/1", "/nfs/2", "/nfs/3"], { mounts: table(remote("0:90", "/nfs")), ask });
  expect(most).toBe(1);
});

test("nothing is read where there are no paths", async () => {
  await reach([], { mounts: () => never.then(() => []) });
});

test("lines of the mount table are taken apart, blanks unescaped", () => {
  const line =
    "36 35 0:45 /sub /mnt/my\\040share rw,noatime shared:1 master:2 - fuse.sshfs host:/x rw,user_id=0\n";
  expect(parseMountEntries(line)).toEqual([
    { device: "0:45", root: "/sub", point: "/mnt/my share", type: "fuse.sshfs", options: ["rw", "noatime"] },
  ]);
});
