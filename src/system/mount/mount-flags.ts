import { bindLibc, check, cString, errno } from "../libc.ts";

const { statfs } = bindLibc({ statfs: { args: ["ptr", "ptr"], returns: "i32" } });

/** struct statfs on 64-bit machines: eleven words, the flags the last before the spare ones */
const size = 120;
const flagsAt = 80;
const names: readonly [bit: number, option: string][] = [
  [1, "ro"],
  [2, "nosuid"],
  [4, "nodev"],
  [8, "noexec"],
];

const status = Buffer.alloc(size);

const ENOENT = 2;

/** The restrictions of the mount that a path is on, as mount options: statfs(2). None for what is not there. */
export function mountRestrictions(path: string): string[] {
  const result = statfs(cString(path), status);
  if (result < 0 && errno() === ENOENT) return [];
  check(result, `statfs ${path}`);
  const flags = status.readUInt32LE(flagsAt);
  return names.flatMap(([bit, option]) => ((flags & bit) === 0 ? [] : [option]));
}
