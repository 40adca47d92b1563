import { sha256 } from "../../lib/image/digest.ts";

/**
 * What a step's result depends on, by name: `command`, `env.PATH`, `base`, `file:/etc/hosts` … The key is the digest of
 * all of them, and they are kept, so that a miss can be explained by comparing with those of an earlier step.
 */
export type KeyParts = Readonly<Record<string, string>>;

export function keyOf(kind: string, parts: KeyParts): string {
  const sorted = Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify([kind, sorted]));
}

/** A stack of layers as one value, as the OCI's chain id. */
export const chainOf = (layers: readonly string[]): string =>
  layers.length === 0 ? "scratch" : layers.reduce((chain, layer) => sha256(`${chain} ${layer}`));
