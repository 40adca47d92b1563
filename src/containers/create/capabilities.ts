import { EngineError } from "../../lib/errors.ts";
import type { HostConfig } from "../../types/api.ts";

/** Linux capabilities without CAP_, in the order of their numbers (capabilities(7)). */
const names = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " +
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split(" ");
const known: ReadonlySet<string> = new Set(names.map((name) => `CAP_${name}`));

/** `net_admin` → `CAP_NET_ADMIN`, `all` → `ALL`. */
export function capabilityName(text: string): string {
  const upper = text.toUpperCase();
  if (upper === "ALL") return upper;
  return upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
}

/** Refuses names that no kernel knows, in Docker's words. */
export function validateCapabilities(host: HostConfig): void {
  for (const [field, list] of [
    ["CapAdd", host.CapAdd],
    ["CapDrop", host.CapDrop],
  ] as const)
    for (const text of list ?? []) {
      const name = capabilityName(text);
      if (name !== "ALL" && !known.has(name))
        throw new EngineError("invalid", `invalid ${field}: unknown capability: "${name}"`);
    }
}
