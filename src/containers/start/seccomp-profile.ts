import { EngineError, messageOf } from "../../lib/errors.ts";
import { resolveCapabilities } from "../../runtime/spec/capabilities.ts";
import type { HostConfig } from "../../types/api.ts";
import type { Seccomp, SeccompSyscall } from "../../types/runtime-spec.ts";

/** The part of a profile's rule that says when it holds. */
interface Condition {
  caps?: string[];
  arches?: string[];
  minKernel?: string;
}

interface ProfileRule {
  name?: string;
  names?: string[];
  action: string;
  errnoRet?: number;
  args?: { index: number; value: number; valueTwo?: number; op: string }[] | null;
  includes?: Condition;
  excludes?: Condition;
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

function holds({ includes = {}, excludes = {} }: ProfileRule, caps: ReadonlySet<string>): boolean {
  if (excludes.caps?.some((cap) => caps.has(cap)) || excludes.arches?.includes(arch.go)) return false;
  if (includes.caps?.some((cap) => !caps.has(cap))) return false;
  return !includes.arches?.length || includes.arches.includes(arch.go);
}

const ruleOf = (rule: ProfileRule): SeccompSyscall => ({
  names: rule.names ?? (rule.name === undefined ? [] : [rule.name]),
  action: rule.action,
  ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
  ...(rule.args?.length ? { args: rule.args } : {}),
});
