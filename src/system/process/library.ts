import { bindLibc, cString } from "../libc.ts";

const { dlopen, dlclose } = bindLibc({
  dlopen: { args: ["ptr", "i32"], returns: "ptr" },
  dlclose: { args: ["ptr"], returns: "i32" },
});

const lazy = 1;

/** Whether the loader finds a shared library by its name, for this machine. */
export function canLoadLibrary(name: string): boolean {
  const handle = dlopen(cString(name), lazy);
  if (handle === null) return false;
  dlclose(handle);
  return true;
}
