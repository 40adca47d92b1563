import { keyOf } from "../cache/key.ts";
import type { CopyOperation, CopySource } from "../graph/operation.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { KeyedLayer } from "../remote-cache/cache-config.ts";
import type { Session } from "../solver/session.ts";
import { copyParts } from "./copy.ts";
import { filterOf } from "./copy-sources.ts";
import { digestKey, knownDigest } from "./layer-digests.ts";
import type { ResultOf } from "./plan.ts";

/**
 * A COPY from layers that an imported cache has and this engine has not. What those hold is unknown here; the cache says by
 * digests what it was, and by them alone its own result is looked up, so that the layers need not come. Such a digest is
 * believed for nothing else: where it leads to no result, the layers come and are read.
 */
export async function claimedCopy(
  session: Session,
  vertex: Vertex,
  operation: CopyOperation,
  resultOf: ResultOf,
): Promise<KeyedLayer | undefined> {
  const digests: string[] = [];
  let claims = 0;
  for (const source of operation.sources) {
    const key = sourceKey(operation, source, resultOf);
    if (key === undefined) return undefined;
    const known = knownDigest(session.deps, key)?.digest;
    const claimed = known ?? session.imports.digest(key);
    if (claimed === undefined) return undefined;
    if (known === undefined) claims++;
    session.digests.set(key, claimed);
    digests.push(claimed);
  }
  // what is known here needs no belief
  if (claims === 0) return undefined;
  const base = resultOf(operation.base);
  return await session.imports.find(keyOf("copy", copyParts(vertex, operation, base, digests)));
}

function sourceKey(operation: CopyOperation, source: CopySource, resultOf: ResultOf): string | undefined {
  if (source.kind !== "tree" || source.tree.kind !== "vertex") return undefined;
  return digestKey(resultOf(source.tree.vertex).layers, filterOf(operation, source, []));
}
