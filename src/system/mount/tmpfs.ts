import { bindLibc, check, cString } from "../libc.ts";

const { mount } = bindLibc({ mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" } });

// mount(2)
const noSuid = 2;
const noDev = 4;
const noExec = 8;

/** Mounts an empty tmpfs without set-uid programs, devices or executables; `options` as `size=…,mode=…`. */
export function mountTmpfs(target: string, options: string): void {
  const flags = BigInt(noSuid | noDev | noExec);
  check(
    mount(cString("shm"), cString(target), cString("tmpfs"), flags, cString(options)),
    `mount tmpfs on ${target}`,
  );
}
