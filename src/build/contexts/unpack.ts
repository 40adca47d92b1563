import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "../../lib/ids.ts";
import type { UnpackedContext } from "../contract.ts";
import type { BuildContextDeps } from "../deps.ts";

const bytesMax = 2 ** 40;

/** Unpacks a tar below the builds' scratch folder, which the next start sweeps if this one does not get to it. */
export async function unpackContext(
  { workers, paths }: BuildContextDeps,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<UnpackedContext> {
  await mkdir(paths.scratch, { recursive: true, mode: 0o700 });
  const folder = join(paths.scratch, `context-${newId().slice(0, 24)}`);
  await workers.unpack({ folder, bytesMax }, source, { signal });
  let open = true;
  return {
    root: join(folder, "diff"),
    close: async () => {
      if (!open) return;
      open = false;
      await workers.call("removeTree", { path: folder });
    },
  };
}
