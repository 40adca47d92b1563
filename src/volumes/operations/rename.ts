import { rename } from "node:fs/promises";
import { EngineError } from "../../lib/errors.ts";
import { publish, type VolumeParts } from "../parts.ts";
import { checkName } from "../request.ts";

/**
 * Gives a volume another name: one transaction says so, with what `also` changes elsewhere; then the folder follows. A
 * crash between the two is mended by the next sweep. What is mounted from the folder goes with it.
 */
export function renameVolume(
  parts: VolumeParts,
  name: string,
  to: string,
  also: (path: string) => void,
): Promise<void> {
  const { store, holders, queue } = parts;
  // always in one order, so that two renames across each other do not wait for each other
  const [first = name, second = to] = [name, to].sort();
  return queue.run(first, () =>
    queue.run(second, async () => {
      const volume = parts.find(name);
      checkName(to);
      if (volume.driver !== "local")
        throw new EngineError(
          "invalid",
          `rename ${name}: the plugin ${volume.driver} keeps it under that name`,
        );
      if (store.get(to)) throw new EngineError("conflict", `rename ${name}: there is a volume ${to}`);
      store.rename(volume, to, () => also(parts.folders.data(to)));
      await finishRename(parts, to);
      holders.rename(name, to, parts.folders.data(to));
      publish(parts, "rename", { ...volume, name: to }, { oldName: name });
    }),
  );
}

export async function finishRename({ store, folders }: VolumeParts, name: string): Promise<void> {
  const from = store.get(name)?.movedFrom;
  if (!from) return;
  if (await folders.has(from)) await rename(folders.of(from), folders.of(name));
  store.moved(name);
}
