import { createHash } from "node:crypto";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import type { Decoded, Encodable } from "../../lib/protobuf/schema.ts";
import { type definition, op } from "../messages/ops.ts";

/**
 * A result's definition, as clients pass it on to another build (`target:` contexts of bake): a graph of one source, which
 * names the build and the reference, and the edge to it.
 */
const scheme = "berth-result://";

export function resultDefinition(build: string, reference: string): Encodable<typeof definition> {
  const source = encode(op, { source: { identifier: `${scheme}${build}/${reference}` } });
  const digest = `sha256:${createHash("sha256").update(source).digest("hex")}`;
  // clients take a definition without metadata for none
  return { metadata: new Map([[digest, {}]]), def: [source, encode(op, { inputs: [{ digest }] })] };
}

/** Which result a definition means; undefined for a graph that is not of ours. */
export function resultOf(from: Decoded<typeof definition>): { build: string; reference: string } | undefined {
  for (const each of from.def) {
    const { identifier = "" } = decode(op, each).source ?? {};
    const [, build, reference] = /^berth-result:\/\/([^/]+)\/([0-9a-f]+)$/.exec(identifier) ?? [];
    if (build !== undefined && reference !== undefined) return { build, reference };
  }
  return undefined;
}
