import { ptr } from "bun:ffi";
import { mkdirSync } from "node:fs";
import { bindLibc, check, cString } from "../libc.ts";

/** Mounting version 1 hierarchies, mount(2). */
const libc = bindLibc({
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
});

const MS_NOSUID = 2n;
const MS_NODEV = 4n;
const MS_NOEXEC = 8n;

/** Mounts the hierarchy of one controller at `folder`, which is made. Throws SystemError `EBUSY` when version 2 uses it. */
export function mountHierarchy(folder: string, controller: string): void {
  mkdirSync(folder, { recursive: true });
  const type = cString("cgroup");
  const flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const result = libc.mount(ptr(type), ptr(cString(folder)), ptr(type), flags, ptr(cString(controller)));
  check(result, `mount cgroup ${controller} at ${folder}`);
}
