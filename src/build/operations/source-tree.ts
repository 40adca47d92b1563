import { EngineError, messageOf } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import type { TreeSource } from "../graph/operation.ts";
import type { Session } from "../solver/session.ts";
import type { ResultOf } from "./plan.ts";

/** As BuildKit puts it. `exclude`: patterns of `--exclude`, one of which may be none. */
export function cacheKeyError(error: unknown, exclude: readonly string[] = []): EngineError {
  const kind = error instanceof EngineError ? error.kind : "internal";
  const isPattern = exclude.length > 0 && kind === "invalid" && /pattern/.test(messageOf(error));
  if (kind !== "notFound" && !isPattern) return new EngineError(kind, messageOf(error), { cause: error });
  const why = `${isPattern ? `invalid excludepatterns: [${exclude.join(" ")}]: ` : ""}${messageOf(error)}`;
  const place = `failed to calculate checksum of ref ${newId().slice(0, 25)}::${newId().slice(0, 25)}`;
  return new EngineError(kind, `failed to compute cache key: ${place}: ${why}`, { cause: error });
}

/** A tree that COPY or a mount takes something of: a context, or what a stage or an image came to. */
export interface Tree {
  /** of layers, it is mounted only then: those that are elsewhere come first */
  open: () => Promise<string>;
  ignore: readonly string[];
  /** of a tree that never changes */
  layers: readonly string[] | undefined;
  live: boolean;
}

export async function treeOf(session: Session, from: TreeSource, resultOf: ResultOf): Promise<Tree> {
  if (from.kind === "context") {
    const { root, ignore, live = false } = await session.context(from.name);
    return { open: () => Promise.resolve(root), ignore, layers: undefined, live };
  }
  const { layers } = resultOf(from.vertex);
  return { open: () => session.view(layers), ignore: [], layers, live: false };
}
