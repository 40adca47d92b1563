import { readFileSync } from "node:fs";
import { EngineError, messageOf } from "../../lib/errors.ts";
import type { SpecInput } from "../../runtime/spec/input.ts";
import type { HostConfig } from "../../types/api.ts";
import type { ContainersConfig } from "../config.ts";
import { readSeccompProfile } from "./seccomp-profile.ts";

export interface SecurityOptions {
  seccomp: SpecInput["seccomp"];
  noNewPrivileges: boolean;
  apparmor?: string;
}

/** What `--security-opt` and the engine's defaults say together. */
export function securityOf(engine: ContainersConfig, host: HostConfig): SecurityOptions {
  const options = new Map(
    (host.SecurityOpt ?? []).map((option): [string, string] => {
      const at = option.search(/[=:]/);
      return at < 0 ? [option, "true"] : [option.slice(0, at), option.slice(at + 1)];
    }),
  );
  const wantsNone = host.Privileged && !options.has("seccomp");
  const profile = wantsNone ? "unconfined" : (options.get("seccomp") ?? engineProfile(engine));
  const apparmor = options.get("apparmor");
  const noNew = options.get("no-new-privileges");
  return {
    seccomp:
      profile === "unconfined"
        ? "unconfined"
        : profile === "builtin" || profile === ""
          ? "default"
          : readSeccompProfile(profile, host),
    noNewPrivileges: noNew === undefined ? engine.noNewPrivileges : noNew.toLowerCase() === "true",
    ...(apparmor === undefined || apparmor === "unconfined" || !hasApparmor() ? {} : { apparmor }),
  };
}

/** Docker passes a profile over where the kernel has no AppArmor. */
function hasApparmor(): boolean {
  try {
    return readFileSync("/sys/module/apparmor/parameters/enabled", "utf8").startsWith("Y");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false; // a kernel without it
    throw error;
  }
}

/** `inspect` tells the profile that was asked for, whether the kernel knows it or not. */
export function toldApparmor({ SecurityOpt }: HostConfig): string {
  const option = (SecurityOpt ?? []).findLast((one) => /^apparmor[=:]/.test(one));
  return option?.slice("apparmor=".length) ?? "";
}

function engineProfile({ seccompProfile }: ContainersConfig): string {
  if (["builtin", "unconfined", ""].includes(seccompProfile)) return seccompProfile;
  try {
    return readFileSync(seccompProfile, "utf8");
  } catch (error) {
    throw new EngineError("internal", `read seccomp profile ${seccompProfile}: ${messageOf(error)}`);
  }
}
