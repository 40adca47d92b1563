import { EngineError } from "../../lib/errors.ts";

/**
 * The propagation of a bind, and the options that stand for it. A bind that holds the engine's own files, or some of
 * them, follows the host (`rslave`): else what the engine unmounts would stay mounted in the container. Where the host's
 * mount does not propagate, and nobody asked, the bind is a private one after all (`by-default`). As in Docker.
 */
export function bindPropagation(
  source: string,
  asked: string | undefined,
  dataRoot: string,
): { mode: string; options: string[] } {
  const holds = (path: string, other: string): boolean =>
    other === path || other.startsWith(path === "/" ? "/" : `${path}/`);
  if (!holds(source, dataRoot) && !holds(dataRoot, source)) {
    const mode = asked ?? "rprivate";
    return { mode, options: [mode] };
  }
  if (asked === undefined) return { mode: "rslave", options: ["rslave", "by-default"] };
  if (asked !== "rslave" && asked !== "rshared")
    throw new EngineError(
      "invalid",
      `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "${dataRoot}", bind mount source: "${source}", propagation: "${asked}"`,
    );
  return { mode: asked, options: [asked] };
}
