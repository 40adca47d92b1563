import { closeSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import type { IdMap } from "../../lib/users/id-map.ts";
import { bindLibc, check, cString, SystemError } from "../libc.ts";
import { openUserNamespace } from "../namespaces/user-namespace.ts";

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
const isPrivate = 0x40000n;

/**
 * Binds `source` and (unless not `recursive`) what is mounted below it at `target`, its owners mapped. Throws `invalid`
 * where that cannot be.
 */
export async function mountMapped(
  source: string,
  target: string,
  map: IdMap,
  { recursive = true }: { recursive?: boolean } = {},
): Promise<void> {
  // its only use is its map: it is gone with the descriptor
  const namespace = await openUserNamespace(map, { network: false });
  const open: number[] = [];
  const whole = recursive ? wholeTree : 0;
  try {
    const tree = check(
      openTree(numbers.openTree, cwd, cString(source), clone | closeOnExec | whole),
      `open ${source}`,
    );
    open.push(tree);
    const attributes = Buffer.alloc(32);
    attributes.writeBigUInt64LE(mapped, 0);
    // a copy of shared mounts would, when it is let go, take what is mounted below the original along
    attributes.writeBigUInt64LE(isPrivate, 16);
    attributes.writeBigUInt64LE(BigInt(namespace.user), 24);
    const set = setAttributes(
      numbers.mountSetattr,
      tree,
      cString(""),
      emptyPath | whole,
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
    namespace.close();
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
