import { closeSync, openSync, readlinkSync, writeFileSync } from "node:fs";
import { EngineError } from "../lib/errors.ts";
import type { IdMap, IdRange } from "../lib/id-map.ts";
import { bindLibc, check, cString, SystemError } from "./libc.ts";
import { spawnProcess } from "./process.ts";

/** Mounts whose files show other owners than they have on disk: mount_setattr(2), MOUNT_ATTR_IDMAP, Linux ≥ 5.12. */
const { syscall: openTree } = bindLibc({ syscall: { args: ["i64", "i32", "ptr", "u32"], returns: "i32" } });
const { syscall: setAttributes } = bindLibc({
  syscall: { args: ["i64", "i32", "ptr", "u32", "ptr", "u64"], returns: "i32" },
});
const { syscall: moveMount } = bindLibc({
  syscall: { args: ["i64", "i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
});

const numbers = { openTree: 428n, moveMount: 429n, mountSetattr: 442n };
const cwd = -100;
const clone = 1;
const closeOnExec = 0x80000;
const wholeTree = 0x8000;
const emptyPath = 0x1000;
const moveFromEmptyPath = 4;
const mapped = 0x100000n;
const openWaitMs = 5000;

/** A namespace whose only use is its map; it is gone with the descriptor. */
async function openUserNamespace(map: IdMap): Promise<number> {
  const holder = spawnProcess({
    argv: ["unshare", "--user", "sleep", "60"],
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
    cwd: "/",
    fds: ["ignore", "ignore", "ignore"],
  });
  try {
    const own = readlinkSync("/proc/self/ns/user");
    const place = `/proc/${holder.pid}/ns/user`;
    for (const limit = performance.now() + openWaitMs; readlinkSync(place) === own; await Bun.sleep(1))
      if (performance.now() > limit) throw new EngineError("internal", "no user namespace could be made");
    writeFileSync(`/proc/${holder.pid}/uid_map`, lines(map.uids));
    writeFileSync(`/proc/${holder.pid}/gid_map`, lines(map.gids));
    return openSync(place, "r");
  } finally {
    holder.kill();
    await holder.exited;
  }
}

const lines = (ranges: readonly IdRange[]): string =>
  ranges.map(({ disk, seen, count }) => `${disk} ${seen} ${count}\n`).join("");

/** Binds `source` and what is mounted below it at `target`, its owners mapped. Throws `invalid` where that cannot be. */
export async function mountMapped(source: string, target: string, map: IdMap): Promise<void> {
  const namespace = await openUserNamespace(map);
  const open: number[] = [namespace];
  try {
    const tree = check(
      openTree(numbers.openTree, cwd, cString(source), clone | closeOnExec | wholeTree),
      `open ${source}`,
    );
    open.push(tree);
    const attributes = Buffer.alloc(32);
    attributes.writeBigUInt64LE(mapped, 0);
    attributes.writeBigUInt64LE(BigInt(namespace), 24);
    const set = setAttributes(
      numbers.mountSetattr,
      tree,
      cString(""),
      emptyPath | wholeTree,
      attributes,
      BigInt(attributes.length),
    );
    check(set, `map owners of ${source}`);
    const moved = moveMount(numbers.moveMount, tree, cString(""), cwd, cString(target), moveFromEmptyPath);
    check(moved, `mount ${source} at ${target}`);
  } catch (error) {
    throw refusal(source, error);
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

function refusal(source: string, error: unknown): unknown {
  const code = error instanceof SystemError ? error.code : "";
  if (code === "ENOSYS")
    return new EngineError(
      "invalid",
      `idmap of ${source}: this kernel cannot map owners (it needs Linux 5.12)`,
    );
  if (code === "EINVAL" || code === "EPERM" || code === "EOPNOTSUPP")
    return new EngineError(
      "invalid",
      `idmap of ${source}: its file system, or one that is mounted below it, cannot map owners`,
      { cause: error },
    );
  return error;
}
