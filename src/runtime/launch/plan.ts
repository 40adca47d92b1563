import { join } from "node:path";
import type { Mount, Spec } from "../../types/runtime-spec.ts";

/** How a container's specification reads in the namespace in which it is launched. */
export interface LaunchPlan {
  /** trees of the host's to be shown there while the runtime makes the container */
  trees: LaunchTree[];
  /** files of the host's that hold namespaces, and cannot be seen there */
  namespaces: string[];
  /** the specification, given a path for each of `namespaces` */
  spec(paths: ReadonlyMap<string, string>): Spec;
}

interface LaunchTree {
  source: string;
  target: string;
  recursive: boolean;
}

interface LaunchOptions {
  /** where trees are shown that have no place of their own there */
  folder: string;
  /** plain files on the data root itself, which are seen there as they are */
  ownFiles: readonly string[];
}

/**
 * Undefined for what is launched on the host's mounts themselves: with hooks, which may look at anything, where mounts are
 * to propagate, and for root users who are not the host's, to whom `folder` is closed. Pure.
 */
export function planLaunch(spec: Spec, { folder, ownFiles }: LaunchOptions): LaunchPlan | undefined {
  const { namespaces, rootfsPropagation } = spec.linux;
  const hooked = Object.values(spec.hooks ?? {}).some((list) => list.length > 0);
  const mapped = namespaces.some(({ type }) => type === "user");
  if (hooked || mapped || rootfsPropagation !== undefined) return undefined;
  const trees: LaunchTree[] = [{ source: spec.root.path, target: spec.root.path, recursive: true }];
  const mounts = spec.mounts.map((mount) => {
    if (!isBind(mount) || ownFiles.includes(mount.source)) return mount;
    const target = join(folder, String(trees.length));
    trees.push({ source: mount.source, target, recursive: !mount.options.includes("bind") });
    return { ...mount, source: target };
  });
  const at = (path: string | undefined, paths: ReadonlyMap<string, string>) =>
    path === undefined ? {} : { path: paths.get(path) ?? path };
  return {
    trees,
    namespaces: namespaces.flatMap(({ path }) => (isHeld(path) ? [path] : [])),
    spec: (paths) => ({
      ...spec,
      mounts,
      linux: {
        ...spec.linux,
        namespaces: namespaces.map(({ type, path }) => ({ type, ...at(path, paths) })),
      },
    }),
  };
}

const isBind = ({ type, options }: Mount): boolean =>
  type === "bind" || options.includes("bind") || options.includes("rbind");

const isHeld = (path: string | undefined): path is string => path !== undefined && !path.startsWith("/proc/");
