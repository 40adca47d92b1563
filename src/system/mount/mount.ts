import { close, flags, must, openRaw, toBytes } from "../files/at.ts";
import { bindLibc, check, cString, errno, SystemError } from "../libc.ts";

/**
 * Overlay mounts. Linux ≥ 6.5 takes lower directories one by one (`lowerdir+` of the new mount API), without a limit
 * on their length; before that mount(2) gets one page of options, so the directories are named by /proc/self/fd/N.
 * Both take well under a millisecond; an unmount that must sync can take long (see `unmount`).
 */
const libc = bindLibc({
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
});
const { syscall: call2 } = bindLibc({ syscall: { args: ["i64", "ptr", "u32"], returns: "i32" } });
const { syscall: fsconfigCall } = bindLibc({
  syscall: { args: ["i64", "i32", "u32", "ptr", "ptr", "i32"], returns: "i32" },
});
const { syscall: fsmountCall } = bindLibc({
  syscall: { args: ["i64", "i32", "u32", "u32"], returns: "i32" },
});
const { syscall: moveMountCall } = bindLibc({
  syscall: { args: ["i64", "i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
});

// numbers that all architectures share
const numbers = { moveMount: 429n, fsopen: 430n, fsconfig: 431n, fsmount: 432n };
const closeOnExec = 1;
const config = { setFlag: 0, setString: 1, create: 6 };
const moveFromEmptyPath = 4;
const cwd = -100;
const detach = 2;
const bind = { only: 4096, recursive: 4096 | 16384 } as const;
/** MS_REC | MS_PRIVATE */
const apart = 0x44000;
const EINVAL = 22;
/** fsconfig(2) takes strings of up to 255 bytes. */
const configStringMax = 255;

interface OverlayMount {
  /** topmost first */
  lower: readonly string[];
  /** undefined = read-only; then there are at least two lower ones */
  upper?: string;
  work?: string;
  /** no syncing; the kernel then refuses to reuse `work` unless it is emptied */
  volatile: boolean;
}

function configure(fs: number, command: number, key: string | null, value: string | null): void {
  check(
    fsconfigCall(
      numbers.fsconfig,
      fs,
      command,
      key === null ? null : cString(key),
      value === null ? null : cString(value),
      0,
    ),
    `set overlay ${key ?? "up"}${value === null ? "" : ` ${value}`}`,
  );
}

/** Paths over fsconfig's limit go by descriptors, which stay open until the mount exists. */
function named(path: string, open: number[]): string {
  if (Buffer.byteLength(path) <= configStringMax) return path;
  return byDescriptor(path, open);
}
function byDescriptor(path: string, open: number[]): string {
  const fd = must(openRaw(cwd, toBytes(path), flags.path | flags.directory), () => `open ${path}`);
  open.push(fd);
  return `/proc/self/fd/${fd}`;
}

const fixedOptions: readonly [string, string][] = [
  ["index", "off"],
  ["metacopy", "off"],
  ["redirect_dir", "off"],
];

/** `open` collects descriptors to close once mounted. Both ways are exported for the test that tries each. */
export function mountByContext(
  { lower, upper, work, volatile }: OverlayMount,
  target: string,
  open: number[],
): void {
  const fs = check(call2(numbers.fsopen, cString("overlay"), closeOnExec), "open file system overlay");
  open.push(fs);
  configure(fs, config.setString, "source", "overlay");
  for (const folder of lower) configure(fs, config.setString, "lowerdir+", named(folder, open));
  if (upper !== undefined) configure(fs, config.setString, "upperdir", named(upper, open));
  if (work !== undefined) configure(fs, config.setString, "workdir", named(work, open));
  for (const [key, value] of fixedOptions) configure(fs, config.setString, key, value);
  if (volatile) configure(fs, config.setFlag, "volatile", null);
  configure(fs, config.create, null, null);
  const mounted = check(fsmountCall(numbers.fsmount, fs, closeOnExec, 0), "make overlay mount");
  open.push(mounted);
  const moved = moveMountCall(
    numbers.moveMount,
    mounted,
    cString(""),
    cwd,
    cString(target),
    moveFromEmptyPath,
  );
  check(moved, `mount overlay at ${target}`);
}

export function mountByOptions(
  { lower, upper, work, volatile }: OverlayMount,
  target: string,
  open: number[],
): void {
  const name = (path: string): string => byDescriptor(path, open);
  const options = [
    `lowerdir=${lower.map(name).join(":")}`,
    ...(upper === undefined ? [] : [`upperdir=${name(upper)}`]),
    ...(work === undefined ? [] : [`workdir=${name(work)}`]),
    ...fixedOptions.map(([key, value]) => `${key}=${value}`),
    ...(volatile ? ["volatile"] : []),
  ].join(",");
  const result = libc.mount(cString("overlay"), cString(target), cString("overlay"), 0, cString(options));
  check(result, `mount overlay at ${target}`);
}

let contextWorks = true;

/** Mounts an overlay at `target`. Throws SystemError; nothing is mounted then. */
export function mountOverlay(overlay: OverlayMount, target: string): void {
  const open: number[] = [];
  try {
    if (contextWorks) {
      try {
        mountByContext(overlay, target, open);
        return;
      } catch (error) {
        // kernels before 6.5 have no lowerdir+ (EINVAL), before 5.2 no fsopen (ENOSYS)
        if (!(error instanceof SystemError) || !["EINVAL", "ENOSYS"].includes(error.code)) throw error;
      }
    }
    mountByOptions(overlay, target, open);
    contextWorks = false;
  } finally {
    for (const fd of open.reverse()) close(fd);
  }
}

/**
 * Mounts a file or folder at another, with or without what is mounted below it. With it, the copy is cut off from the
 * original: unmounting a copy of shared mounts would unmount what is below the original, too.
 */
export function bindMount(source: string, target: string, { recursive }: { recursive: boolean }): void {
  const how = recursive ? bind.recursive : bind.only;
  const result = libc.mount(cString(source), cString(target), null, how, null);
  check(result, `bind ${source} at ${target}`);
  if (recursive)
    check(libc.mount(null, cString(target), null, apart, null), `bind ${source} at ${target} privately`);
}

/**
 * Takes a mount away; true when there was one. A busy one is detached: gone from the tree at once, and really gone
 * with its last user. The last unmount of an overlay that is not volatile syncs the whole file system below it.
 */
export function unmount(target: string): boolean {
  if (libc.umount2(cString(target), 0) === 0) return true;
  if (errno() === EINVAL) return false;
  const result = libc.umount2(cString(target), detach);
  if (result < 0 && (errno() === EINVAL || errno() === 2)) return false;
  check(result, `unmount ${target}`);
  return true;
}
