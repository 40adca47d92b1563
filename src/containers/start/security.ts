import { readFileSync } from "node:fs";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { goBool } from "../../lib/go/bool.ts";
import { hasApparmor } from "../../runtime/security/apparmor.ts";
import type { SpecInput } from "../../runtime/spec/input.ts";
import type { HostConfig } from "../../types/api.ts";
import type { ContainersConfig } from "../config.ts";
import { readSeccompProfile } from "./seccomp-profile.ts";

interface SecurityOptions {
  seccomp: SpecInput["seccomp"];
  noNewPrivileges: boolean;
  apparmor?: string;
}

/** What `--security-opt` and the engine's defaults say together. */
export function securityOf(
  engine: ContainersConfig,
  host: HostConfig,
  defaultApparmor: string | undefined,
): SecurityOptions {
  const options = new Map(
    (host.SecurityOpt ?? []).map((option): [string, string] => {
      const at = option.search(/[=:]/);
      return at < 0 ? [option, "true"] : [option.slice(0, at), option.slice(at + 1)];
    }),
  );
  const wantsNone = host.Privileged && !options.has("seccomp");
  const profile = wantsNone ? "unconfined" : (options.get("seccomp") ?? engineProfile(engine));
  const apparmor = options.get("apparmor") ?? (host.Privileged ? undefined : defaultApparmor);
  const noNew = options.get("no-new-privileges");
  return {
    seccomp:
      profile === "unconfined"
        ? "unconfined"
        : profile === "builtin" || profile === ""
          ? "default"
          : readSeccompProfile(profile, host),
    noNewPrivileges: noNew === undefined ? engine.noNewPrivileges : goBool(noNew) === true,
    // Docker passes a profile over where the kernel has no AppArmor
    ...(apparmor === undefined || apparmor === "unconfined" || !hasApparmor() ? {} : { apparmor }),
  };
}

/** `inspect` tells the profile that was asked for, whether the kernel knows it or not; else what the container has. */
export function toldApparmor(
  { SecurityOpt, Privileged }: HostConfig,
  defaultApparmor: string | undefined,
): string {
  const option = (SecurityOpt ?? []).findLast((one) => /^apparmor[=:]/.test(one));
  if (option !== undefined) return option.slice("apparmor=".length);
  if (defaultApparmor === undefined) return "";
  return Privileged ? "unconfined" : defaultApparmor;
}

function engineProfile({ seccompProfile }: ContainersConfig): string {
  if (["builtin", "unconfined", ""].includes(seccompProfile)) return seccompProfile;
  try {
    return readFileSync(seccompProfile, "utf8");
  } catch (error) {
    throw new EngineError("internal", `read seccomp profile ${seccompProfile}: ${messageOf(error)}`);
  }
}
