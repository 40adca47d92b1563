import { readFile } from "node:fs/promises";
import { EngineError } from "../../lib/errors.ts";
import { hostArchitecture } from "../../lib/image/platform.ts";

/** The kernel's names of emulators, as qemu-user-static registers them. */
const emulators: Record<string, string> = {
  amd64: "qemu-x86_64",
  arm64: "qemu-aarch64",
  arm: "qemu-arm",
  "386": "qemu-i386",
  ppc64le: "qemu-ppc64le",
  s390x: "qemu-s390x",
  riscv64: "qemu-riscv64",
};

/** What this processor runs beside its own. */
const natives: Readonly<Record<string, readonly string[]>> = { amd64: ["386"], arm64: ["arm"] };

const registrations = "/proc/sys/fs/binfmt_misc";

/**
 * A step of another architecture runs where the kernel has an emulator for it. Answers what is to be said of that
 * emulator. Throws `unavailable` where there is none that a container can use.
 */
export async function checkEmulator(platform: string, folder = registrations): Promise<string | undefined> {
  const [, architecture = hostArchitecture] = platform.split("/");
  if (architecture === hostArchitecture || natives[hostArchitecture]?.includes(architecture))
    return undefined;
  const name = emulators[architecture] ?? `qemu-${architecture}`;
  const text = await readFile(`${folder}/${name}`, "utf8").catch(() => ""); // not registered
  if (!/^enabled$/m.test(text))
    throw new EngineError(
      "unavailable",
      `this host cannot run programs for ${platform}: install an emulator (apt install qemu-user-static binfmt-support)`,
    );
  const flags = /^flags: (.*)$/m.exec(text)?.[1] ?? "";
  // without F the kernel looks for the interpreter inside of the step's root
  if (!flags.includes("F"))
    throw new EngineError(
      "unavailable",
      `the emulator ${name} of this host is not registered for containers (flag F of binfmt_misc): install qemu-user-static`,
    );
  // programs that are several in one, like busybox, look at the name they are called by
  return flags.includes("P")
    ? undefined
    : `the emulator ${name} of this host is registered without flag P of binfmt_misc: programs do not learn the name they are called by, which busybox and its shell need`;
}
