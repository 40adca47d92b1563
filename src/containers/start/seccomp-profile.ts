import { release } from "node:os";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { resolveCapabilities } from "../../runtime/spec/capabilities.ts";
import type { HostConfig } from "../../types/api.ts";
import type { Seccomp, SeccompSyscall } from "../../types/runtime-spec.ts";

/** The part of a profile's rule that says when it holds. */
interface Condition {
  caps?: string[] | null;
  arches?: string[] | null;
  /** "5.9": the kernel has to be at least that */
  minKernel?: string;
}

interface ProfileRule {
  name?: string;
  names?: string[];
  action: string;
  errnoRet?: number;
  args?: { index: number; value: number; valueTwo?: number; op: string }[] | null;
  includes?: Condition | null;
  excludes?: Condition | null;
}

interface Profile {
  defaultAction?: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  archMap?: { architecture: string; subArchitectures?: string[] | null }[];
  flags?: string[];
  syscalls?: ProfileRule[];
}

const arch =
  process.arch === "arm64"
    ? { go: "arm64", seccomp: "SCMP_ARCH_AARCH64" }
    : { go: "amd64", seccomp: "SCMP_ARCH_X86_64" };
const rulesMax = 4096;

/** A profile in Docker's form (conditional rules, archMap) or the OCI's, as the runtime takes it. */
export function readSeccompProfile(text: string, host: HostConfig): Seccomp {
  let profile: Profile;
  try {
    profile = JSON.parse(text) as Profile;
  } catch (error) {
    throw new EngineError("invalid", `Decoding seccomp profile failed: ${messageOf(error)}`);
  }
  const rules = profile?.syscalls ?? [];
  if (typeof profile?.defaultAction !== "string" || !Array.isArray(rules) || rules.length > rulesMax)
    throw new EngineError(
      "invalid",
      "Decoding seccomp profile failed: it has no defaultAction or no list of syscalls",
    );
  const caps = new Set<string>(
    resolveCapabilities({ add: host.CapAdd ?? [], drop: host.CapDrop ?? [], privileged: host.Privileged }),
  );
  const mapped = profile.archMap?.find(({ architecture }) => architecture === arch.seccomp);
  const architectures = mapped
    ? [mapped.architecture, ...(mapped.subArchitectures ?? [])]
    : profile.architectures;
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures?.length ? { architectures } : {}),
    ...(profile.flags?.length ? { flags: profile.flags } : {}),
    syscalls: rules.filter((rule) => holds(rule, caps)).map(ruleOf),
  };
}

function holds({ includes, excludes }: ProfileRule, caps: ReadonlySet<string>): boolean {
  if (excludes?.caps?.some((cap) => caps.has(cap)) || excludes?.arches?.includes(arch.go)) return false;
  if (excludes?.minKernel && kernelIsAtLeast(excludes.minKernel)) return false;
  if (includes?.caps?.some((cap) => !caps.has(cap))) return false;
  if (includes?.minKernel && !kernelIsAtLeast(includes.minKernel)) return false;
  return !includes?.arches?.length || includes.arches.includes(arch.go);
}

/** Versions are compared by their first two numbers. */
export function kernelIsAtLeast(wanted: string, running = release()): boolean {
  const read = (text: string): [number, number] | undefined => {
    const found = /^(\d+)\.(\d+)/.exec(text);
    return found ? [Number(found[1]), Number(found[2])] : undefined;
  };
  const [want, have] = [read(wanted), read(running)];
  if (!want || !have)
    throw new EngineError("invalid", `Decoding seccomp profile failed: invalid kernel version: ${wanted}`);
  return have[0] > want[0] || (have[0] === want[0] && have[1] >= want[1]);
}

const ruleOf = (rule: ProfileRule): SeccompSyscall => ({
  names: rule.names ?? (rule.name === undefined ? [] : [rule.name]),
  action: rule.action,
  ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
  ...(rule.args?.length ? { args: rule.args } : {}),
});
