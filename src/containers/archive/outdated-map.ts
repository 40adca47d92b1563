import { posix } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { formatIdMap } from "../../lib/users/id-map.ts";
import type { ViewMount } from "../../system/files/root-view.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";

/**
 * Does the container still run under a map that is not the engine's present one? Its volumes and name files can then
 * only be seen through the present map (or none), and their owners would be wrong.
 */
export function isOutdated({ config }: Pick<Context, "config">, { alive, life }: Container): boolean {
  if (!alive || life.remap === undefined) return false;
  return config.remap === undefined || formatIdMap(life.remap) !== formatIdMap(config.remap);
}

/** A copy of `path` that meets a mount whose owners cannot be told. `reading`: also one below the path. */
export function refuseOutdated(
  { name }: Container,
  path: string,
  mounts: readonly ViewMount[],
  { reading }: { reading: boolean },
): void {
  const asked = posix.resolve("/", path);
  const met = mounts.find(
    ({ destination }) => isWithin(asked, destination) || (reading && isWithin(destination, asked)),
  );
  if (met)
    throw new EngineError(
      "conflict",
      `container ${name} was started under another userns-remap, by which ${met.destination} cannot be copied now: restart the container first`,
    );
}

const isWithin = (path: string, folder: string): boolean => {
  const root = posix.resolve("/", folder);
  return path === root || path.startsWith(root === "/" ? "/" : `${root}/`);
};
