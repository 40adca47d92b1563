import type { Platform } from "../../../types/oci.ts";

/** A manifest as an index names it. */
export interface IndexEntry {
  mediaType: string;
  digest: string;
  size: number;
  platform?: Partial<Platform> & { "os.features"?: string[]; features?: string[] };
}

/** An index as docker shows it: its manifests with their platforms, and no annotations; `--raw` has all of it. */
export const shownIndex = (mediaType: string, entries: readonly IndexEntry[]): unknown => ({
  schemaVersion: 2,
  mediaType,
  manifests: entries.map(({ mediaType, size, digest, platform }) => ({
    mediaType,
    size,
    digest,
    platform: shownPlatform(platform),
  })),
});

/** In docker's order; what is no image's has empty fields. */
export function shownPlatform(platform?: IndexEntry["platform"] | null): Record<string, unknown> {
  const { architecture = "", os = "", variant, features } = platform ?? {};
  const version = platform?.["os.version"];
  const systemFeatures = platform?.["os.features"];
  return {
    architecture,
    os,
    ...(version ? { "os.version": version } : {}),
    ...(systemFeatures?.length ? { "os.features": systemFeatures } : {}),
    ...(variant ? { variant } : {}),
    ...(features?.length ? { features } : {}),
  };
}

/** JSON as Go writes it, safe in HTML. */
export const goJson = (value: unknown, indent?: number | string): string =>
  JSON.stringify(value, undefined, indent).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
