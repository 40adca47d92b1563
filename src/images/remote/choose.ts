import { formatPlatform, hostArchitecture, normalise } from "../../lib/image/platform.ts";
import type { Descriptor, Platform } from "../../types/oci.ts";

/**
 * What runs where `platform` is asked for, best first: older variants of the same architecture, and 32-bit x86 and arm
 * on their 64-bit successors, as containerd has it.
 */
function runnable({ os, architecture, variant = "" }: Platform): string[] {
  const level = Number(/^v(\d)$/.exec(variant)?.[1] ?? 0);
  const older = (from: number, to: number): string[] =>
    Array.from({ length: Math.max(0, from - to + 1) }, (_, step) => `${os}/arm/v${from - step}`);
  const own = formatPlatform(normalise(os, architecture, variant));
  if (architecture === "amd64") {
    const levels = Array.from(
      { length: Math.max(0, level - 2) },
      (_, step) => `${os}/amd64/v${level - 1 - step}`,
    );
    return [own, ...levels, `${os}/amd64`, `${os}/386`];
  }
  if (architecture === "arm64") return [own, `${os}/arm64`, ...older(8, 5)];
  if (architecture === "arm") return [own, ...older(level - 1, 5)];
  return [own];
}

export const hostPlatform: Platform = normalise("linux", hostArchitecture, "");

/** The manifests of an index that fit, best first; those of no platform last, attestations (unknown/unknown) never. */
export function fitting(manifests: readonly Descriptor[], wanted: Platform): Descriptor[] {
  const named = (descriptor: Descriptor): string => {
    const { os = "", architecture = "", variant = "" } = descriptor.platform ?? {};
    return formatPlatform(normalise(os, architecture, variant));
  };
  const ranked = runnable(wanted).flatMap((platform) =>
    manifests.filter((each) => each.platform !== undefined && named(each) === platform),
  );
  const plain = manifests.filter(
    ({ platform }) => platform === undefined || (!platform.os && !platform.architecture),
  );
  return [...new Set([...ranked, ...plain])];
}
