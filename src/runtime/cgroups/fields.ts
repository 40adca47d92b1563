/** The few forms of the kernel's cgroup files as values. A file that is not there (undefined) counts as zeros. */

/** A file of one number; "max" is undefined, as is a file that is not there. */
export function readNumber(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : undefined;
}

/** Lines of a name and a number. */
export function readFields(text: string | undefined): Map<string, bigint> {
  const fields = new Map<string, bigint>();
  for (const line of (text ?? "").split("\n")) {
    const space = line.indexOf(" ");
    const value = space < 0 ? undefined : readNumber(line.slice(space + 1));
    if (value !== undefined) fields.set(line.slice(0, space), value);
  }
  return fields;
}

/** Bytes of memory the host has: what an unlimited container could use. */
export function hostMemory(meminfo: string): bigint {
  return BigInt(/^MemTotal:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024n;
}

/** A limit over what the host has is none. */
export const withinHost = (limit: bigint | undefined, host: bigint): bigint =>
  limit === undefined || (host > 0n && limit > host) ? host : limit;
