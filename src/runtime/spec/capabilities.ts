import { readFileSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import type { Process } from "../../types/runtime-spec.ts";

/** Linux capabilities in the order of their numbers, capabilities(7). */
export const allCapabilities: readonly string[] = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " +
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
  .split(" ")
  .map((name) => `CAP_${name}`);

/** What a container's root may do unless more or less is asked for. */
export const defaultCapabilities: readonly string[] = (
  "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL " +
  "AUDIT_WRITE"
)
  .split(" ")
  .map((name) => `CAP_${name}`);

interface CapabilityRequest {
  add: readonly string[];
  drop: readonly string[];
  privileged: boolean;
  /** those there are to give; undefined = those the engine itself has */
  available?: readonly string[];
}

/** `net_admin` → `CAP_NET_ADMIN`, `all` → `ALL`; refuses what no kernel knows, in Docker's words. */
function normalise(field: "CapAdd" | "CapDrop", list: readonly string[]): Set<string> {
  const names = list.map((text) => {
    const upper = text.toUpperCase();
    if (upper === "ALL") return upper;
    const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
    if (!allCapabilities.includes(name))
      throw new EngineError("invalid", `invalid ${field}: unknown capability: "${name}"`);
    return name;
  });
  return new Set(names);
}

/** The complete list of a container. Adding all and dropping some, and dropping all and adding some, both work. */
export function resolveCapabilities({
  add,
  drop,
  privileged,
  available = heldCapabilities(),
}: CapabilityRequest): string[] {
  const added = normalise("CapAdd", add);
  const dropped = normalise("CapDrop", drop);
  const possible = allCapabilities.filter((name) => available.includes(name));
  if (privileged) return possible;
  if (added.has("ALL")) return possible.filter((name) => !dropped.has(name));
  const missing = [...added].find((name) => !possible.includes(name));
  if (missing !== undefined)
    throw new EngineError(
      "invalid",
      `invalid CapAdd: capability not supported by your kernel or not available in the current environment: "${missing}"`,
    );
  const base = dropped.has("ALL") ? [] : defaultCapabilities.filter((name) => !dropped.has(name));
  const more = [...added].filter((name) => !base.includes(name));
  return [...base, ...more];
}

/** As the kernel would leave them after exec: a user other than root keeps only the bounding set. */
export function capabilitySets(list: readonly string[], uid: number): NonNullable<Process["capabilities"]> {
  const active = uid === 0 ? [...list] : [];
  return { bounding: [...list], effective: active, permitted: active, inheritable: [], ambient: [] };
}

/** The names in a mask of /proc/<pid>/status (`CapBnd`), hexadecimal. */
export function capabilitiesInMask(mask: string): string[] {
  const bits = BigInt(`0x${mask.trim() || "0"}`);
  return allCapabilities.filter((_name, number) => (bits >> BigInt(number)) & 1n);
}

let held: string[] | undefined;

/** What the engine itself may give away: a container cannot have more (some hosts withhold SYS_RESOURCE). */
function heldCapabilities(): string[] {
  held ??= capabilitiesInMask(
    /^CapBnd:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? "",
  );
  return held;
}
