import { closeSync, existsSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from "node:fs";

/**
 * A kernel setting of the namespace in which the calling thread is; a path below /proc/sys/net. Blocks shortly.
 * With `only`, it is changed only where it has that value.
 *
 * Each name below /proc/sys/net is found among those of all namespaces, which the kernel keeps in one chain: with hundreds
 * of containers finding it is most of the work, so it is done once.
 */
export function setSysctl(path: string, value: string, only?: string): void {
  const file = `/proc/sys/net/${path}`;
  const fd = openForWriting(file);
  try {
    // what is so already is not written: /proc/sys may be read-only (nested engines)
    const now = (fd === undefined ? readFileSync(file, "latin1") : readSetting(fd)).trim();
    if (now === value || (only !== undefined && now !== only)) return;
    if (fd === undefined) writeFileSync(file, value);
    else writeSync(fd, value, 0);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const readOnly: ReadonlySet<string> = new Set(["EROFS", "EACCES", "EPERM"]);

function openForWriting(file: string): number | undefined {
  try {
    return openSync(file, "r+");
  } catch (error) {
    if (readOnly.has((error as { code?: string }).code ?? "")) return undefined;
    throw error;
  }
}

const settingMax = 256;

function readSetting(fd: number): string {
  const buffer = Buffer.alloc(settingMax);
  return buffer.toString("latin1", 0, readSync(fd, buffer, 0, settingMax, 0));
}

/** Turns IPv6 of an interface on or off; one whose MTU is below 1280 has none to turn off (RFC 8200, section 5). */
export function setIpv6(name: string, on: boolean): void {
  if (!hasIpv6()) return;
  try {
    setSysctl(`ipv6/conf/${name}/disable_ipv6`, on ? "0" : "1");
  } catch (error) {
    if (on || (error as { code?: string }).code !== "ENOENT") throw error;
  }
}

let known = false;

/** Whether the kernel has IPv6: once it has, it keeps it. */
export function hasIpv6(): boolean {
  known ||= existsSync("/proc/sys/net/ipv6");
  return known;
}
