import { readFileSync, writeFileSync } from "node:fs";

/** A kernel setting of the namespace in which the calling thread is; a path below /proc/sys/net. Blocks shortly. */
export function setSysctl(path: string, value: string): void {
  const file = `/proc/sys/net/${path}`;
  // what is so already is not written: /proc/sys may be read-only (nested engines)
  if (readFileSync(file, "utf8").trim() !== value) writeFileSync(file, value);
}
