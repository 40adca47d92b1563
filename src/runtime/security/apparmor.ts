import { readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { runCommand } from "../../system/process/process.ts";

/** Docker's name: programs and people look for it, and an engine of Docker's beside us has the same profile. */
const defaultProfile = "docker-default";

/** AppArmor's own switch; a kernel without it has no such file. */
export function hasApparmor(path = "/sys/module/apparmor/parameters/enabled"): boolean {
  try {
    return readFileSync(path, "latin1").startsWith("Y");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** What the loading of the profile needs of the host; tests pass a fake. */
export interface ApparmorHost {
  enabled(): boolean;
  /** the names of loaded profiles, a line each */
  profiles(): Promise<string>;
  /** replaces what is loaded under the text's name; throws what the parser says */
  load(text: string): Promise<void>;
}

/**
 * Loads the profile of containers that ask for none, if it is not loaded yet: once after a boot. Answers its name;
 * undefined where the kernel has no AppArmor, or the profile cannot be loaded (which is told).
 */
export async function loadDefaultProfile(host: ApparmorHost, logger: Logger): Promise<string | undefined> {
  if (!host.enabled()) return undefined;
  try {
    const loaded = (await host.profiles()).split("\n");
    if (!loaded.some((line) => line.startsWith(`${defaultProfile} (`)))
      await host.load(profileText(defaultProfile));
    return defaultProfile;
  } catch (error) {
    logger.warn("containers run without an AppArmor profile: it cannot be loaded", {
      error: messageOf(error),
    });
    return undefined;
  }
}

/** The kernel's list, and apparmor_parser(8); `folder` is for the text while it is read. */
export const apparmorHost = (folder: string): ApparmorHost => ({
  enabled: () => hasApparmor(),
  profiles: () => readFile("/sys/kernel/security/apparmor/profiles", "latin1"),
  load: async (text) => {
    await mkdir(folder, { recursive: true, mode: 0o711 });
    const file = join(folder, `apparmor-${process.pid}`);
    await writeFile(file, text, { mode: 0o600 });
    try {
      // -K: no cache, in which another version of this name may be
      const { exitCode, stderr } = await runCommand(["apparmor_parser", "-Kr", file]);
      if (exitCode !== 0) throw new EngineError("internal", `apparmor_parser: ${stderr.trim()}`);
    } finally {
      await rm(file, { force: true });
    }
  },
});

/**
 * apparmor.d(5). Everything is allowed that capabilities, seccomp and namespaces leave, but for the kernel's own
 * switches: mounts, what lies in /proc outside of processes (but for a namespace's own kernel.shm*), and /sys outside
 * of cgroups. These are the borders that Docker's profile draws.
 */
export const profileText = (name: string): string => `#include <tunables/global>

profile ${name} flags=(attach_disconnected,mediate_deleted) {
  #include <abstractions/base>

  capability,
  file,
  network,
  umount,

  # the engine's side ends and freezes containers; among themselves they may do as they like
  signal (receive) peer=unconfined,
  signal (receive) peer=crun,
  signal (receive) peer=runc,
  signal (receive) peer=conmon,
  signal (send,receive) peer=${name},
  ptrace (trace,read,tracedby,readby) peer=${name},

  deny mount,

  deny @{PROC}/* w,
  deny @{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}/** w,
  deny @{PROC}/sys/[^k]** w,
  deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny @{PROC}/sysrq-trigger rwklx,
  deny @{PROC}/kcore rwklx,

  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}
`;
