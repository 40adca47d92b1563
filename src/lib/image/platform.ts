import type { Platform } from "../../types/oci.ts";
import { EngineError } from "../errors.ts";

/**
 * Platforms as `os/architecture/variant`, with the field's aliases and sentences
 * (https://pkg.go.dev/github.com/containerd/platforms).
 */
const architectures = new Set([
  "386",
  "amd64",
  "amd64p32",
  "arm",
  "armbe",
  "arm64",
  "arm64be",
  "loong64",
  "mips",
  "mips64",
  "mips64le",
  "mips64p32",
  "mips64p32le",
  "mipsle",
  "ppc",
  "ppc64",
  "ppc64le",
  "riscv",
  "riscv64",
  "s390",
  "s390x",
  "sparc",
  "sparc64",
  "wasm",
]);
const systems = new Set([
  "aix",
  "android",
  "darwin",
  "dragonfly",
  "freebsd",
  "hurd",
  "illumos",
  "ios",
  "js",
  "linux",
  "nacl",
  "netbsd",
  "openbsd",
  "plan9",
  "solaris",
  "windows",
  "zos",
]);

/** This machine's architecture in the field's words. */
export const hostArchitecture = process.arch === "x64" ? "amd64" : process.arch;

const invalid = (text: string, why: string): EngineError =>
  new EngineError("invalid", `${JSON.stringify(text)}: ${why}: invalid argument`);

/** The system may have a version in brackets, which says nothing to engines of Linux. */
function checkComponent(part: string, text: string, isSystem: boolean): void {
  const pattern = isSystem ? /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.-]*)\))?$/ : /^[A-Za-z0-9_.-]+$/;
  if (pattern.test(part)) return;
  const [which, rule] = isSystem ? ["OS component", "OSAndVersion"] : ["component", "platform"];
  throw new EngineError(
    "invalid",
    `${JSON.stringify(part)} is an invalid ${which} of ${JSON.stringify(text)}: ${rule} specifier component must match ${JSON.stringify(pattern.source)}: invalid argument`,
  );
}

/** Parses `linux/arm64`, `linux/arm/v7`, `linux` or `arm64`; what is not named is this machine's. */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  for (const [index, part] of parts.entries()) checkComponent(part, text, index === 0);
  if (parts.length > 3) throw invalid(text, "cannot parse platform specifier");
  const [system = "", second, variant = ""] = parts;
  const first = system.replace(/\(.*/, "");
  if (second !== undefined) return normalise(first.toLowerCase(), second, variant);
  const os = first.toLowerCase();
  if (systems.has(os)) return normalise(os, hostArchitecture, "");
  const alone = normalise("linux", first, "");
  if (architectures.has(alone.architecture)) return alone;
  throw invalid(text, "unknown operating system or architecture");
}

/** One spelling for each platform: aliases are replaced, a default variant is left out. */
export function normalise(os: string, architectureName: string, variantName: string): Platform {
  let architecture = architectureName.toLowerCase();
  let variant = variantName.toLowerCase();
  if (architecture === "i386") [architecture, variant] = ["386", ""];
  else if (architecture === "x86_64" || architecture === "x86-64") architecture = "amd64";
  else if (architecture === "aarch64") architecture = "arm64";
  else if (architecture === "armhf") [architecture, variant] = ["arm", "v7"];
  else if (architecture === "armel") [architecture, variant] = ["arm", "v6"];
  if (architecture === "amd64" && variant === "v1") variant = "";
  if (architecture === "arm64" && (variant === "8" || variant === "v8")) variant = "";
  if (architecture === "arm") variant = variant === "" ? "v7" : variant.replace(/^(?=[5-8]$)/, "v");
  return { os: os === "macos" ? "darwin" : os, architecture, ...(variant ? { variant } : {}) };
}

export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant ? [variant] : [])].join("/");

/** Whether two spellings name one platform. */
export function isSamePlatform(one: Platform, other: Platform): boolean {
  const [a, b] = [one, other].map(({ os, architecture, variant }) =>
    normalise(os, architecture, variant ?? ""),
  );
  return a?.os === b?.os && a?.architecture === b?.architecture && a?.variant === b?.variant;
}

/**
 * Whether an image may stand in for the platform asked for: containerd's `platforms.Only`, where a newer
 * processor runs what was made for an older one, and Docker's addition that an image which names no
 * variant is for all of them.
 */
export function isRunnableAs(image: Platform, wanted: Platform): boolean {
  const asked = normalise(wanted.os, wanted.architecture, wanted.variant ?? "");
  const own = normalise(image.os, image.architecture, image.variant ?? "");
  if (own.os !== asked.os) return false;
  if (!image.variant && own.architecture === asked.architecture) return true;
  if (asked.architecture === "amd64" && own.architecture === "386") return true;
  const older = asked.architecture === "arm64" && own.architecture === "arm";
  if (!older && own.architecture !== asked.architecture) return false;
  if (!older && own.variant === asked.variant) return true;
  const [made, able] = [generation(own), older ? 8 : generation(asked)];
  return made !== undefined && able !== undefined && made <= able;
}

const firstGenerations: Readonly<Record<string, string>> = { amd64: "v1", arm: "v7", arm64: "v8" };

/** 3 of `amd64/v3`; undefined where variants have no order. */
function generation({
  architecture,
  variant = firstGenerations[architecture] ?? "",
}: Platform): number | undefined {
  const number = Object.hasOwn(firstGenerations, architecture) ? /^v(\d)$/.exec(variant)?.[1] : undefined;
  return number === undefined ? undefined : Number(number);
}
