import { constants, createWriteStream, type Stats } from "node:fs";
import { chmod, chown, mkdir, open, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { EngineError, isKind } from "../../../lib/errors.ts";
import { newId } from "../../../lib/ids.ts";
import type { Undo } from "../../../lib/undo.ts";
import { type IdMap, mappedRoot, type Owner } from "../../../lib/users/id-map.ts";
import type { MountInput } from "../../../runtime/spec/input.ts";
import { close, cwdFd, flags, mknodRaw, must, toBytes } from "../../../system/files/at.ts";
import { openInsideRaw } from "../../../system/files/root-view.ts";
import { SystemError } from "../../../system/libc.ts";
import { mountMapped } from "../../../system/mount/mapped-mount.ts";
import { bindMount, mountOverlay, unmount } from "../../../system/mount/mount.ts";
import { mountPoints } from "../../../system/mount/mount-table.ts";
import { notFound, openTree } from "../../copy/match.ts";
import type { TreeRequest } from "../../copy/worker/requests.ts";
import type { RunMount, TreeSource } from "../../graph/operation.ts";
import type { Session } from "../../solver/session.ts";
import { cacheKeyError, type Tree } from "../source-tree.ts";
import { isImage, MissingSource } from "./missing-source.ts";
import type { ReadyMount } from "./mount-keys.ts";

export interface Surroundings {
  session: Session;
  root: string;
  /** of this step alone */
  folder: string;
  /** the cache is not to be used */
  ignoreCache: boolean;
  signal: AbortSignal;
  undo: Undo;
}

export interface Prepared {
  mounts: MountInput[];
  env: string[];
}

/** A path below a tree, held by a descriptor until the step is over; links are followed inside the tree only. */
function hold(around: Surroundings, root: string, source: string, from: TreeSource): string {
  const held = holdIfThere(around, root, source);
  if (held !== undefined) return held;
  if (isImage(from)) throw new MissingSource("notFound", `open /${source}: no such file or directory`);
  throw cacheKeyError(notFound(source));
}

export function holdIfThere({ undo }: Surroundings, root: string, source: string): string | undefined {
  const rootFd = openTree(root);
  try {
    const fd = openInsideRaw(rootFd, toBytes(source) || ".", flags.path);
    if (fd < 0) return undefined;
    undo.add("held source", () => close(fd));
    return `/proc/${process.pid}/fd/${fd}`;
  } finally {
    close(rootFd);
  }
}

/** `RUN --mount=type=bind`: a folder or file of a context, another stage or an image. */
export async function bind(
  around: Surroundings,
  mount: RunMount & { type: "bind" },
  { tree, owner }: ReadyMount,
  index: number,
): Promise<Prepared> {
  if (tree === undefined) throw new EngineError("internal", "a bind mount without a source");
  const { target, writable } = mount;
  const path = posix.join("/", mount.source).slice(1);
  const source: Source = { path, from: mount.from, index, writable };
  const shown = await (tree.layers === undefined
    ? ofContext(around, tree, source, owner)
    : ofLayers(around, tree, source));
  const options = ["rbind", ...(writable ? [] : ["ro"])];
  return { env: [], mounts: [{ destination: target, type: "bind", source: shown, options }] };
}

/** What is mounted, below the root of its tree. */
interface Source {
  path: string;
  from: TreeSource;
  /** tells the step's mounts apart */
  index: number;
  writable: boolean;
}

async function ofLayers(
  around: Surroundings,
  tree: Tree,
  { path, from, index, writable }: Source,
): Promise<string> {
  // to be looked at the layers must be here: opening brings them
  const whole = await tree.open();
  const root = (await remappedView(around, tree.layers)) ?? whole;
  const read = await staged(around, hold(around, root, path, from), index, undefined);
  return writable ? await throwaway(around, read, index) : read;
}

/**
 * A context as a client would have sent it: all of it root's, its root folder with the mode 0755, and nothing of what its
 * ignore file leaves out. Where it lies here otherwise, a mount shows it so if it can, and else a copy is made.
 */
async function ofContext(
  around: Surroundings,
  tree: Tree,
  source: Source,
  owner: Owner | undefined,
): Promise<string> {
  const { path, from, index } = source;
  if (tree.ignore.length === 0 && owner !== undefined) {
    const shown = await inPlace(around, hold(around, await tree.open(), path, from), source, owner);
    if (shown !== undefined) return shown;
  }
  // the copy is this step's alone: it may be written to
  const copy = await copyOfContext(around, tree, path, index);
  return await staged(around, hold(around, copy, path, from), index, around.session.deps.config.remap);
}

/**
 * What lies there itself, under an overlay where it is to be writable or is a context's root folder with another owner or
 * mode. Undefined where no mount can show it whole.
 */
async function inPlace(
  around: Surroundings,
  held: string,
  { path, index, writable }: Source,
  owner: Owner,
): Promise<string | undefined> {
  const { remap } = around.session.deps.config;
  try {
    const shown = await staged(around, held, index, asRoots(owner, remap));
    const has = await stat(shown);
    const root = remap === undefined ? { uid: 0, gid: 0 } : mappedRoot(remap);
    const top = path === "" ? { ...root, mode: 0o755 } : has;
    const asItIs = has.uid === top.uid && has.gid === top.gid && (has.mode & 0o7777) === (top.mode & 0o7777);
    if (asItIs && !writable) return shown;
    // an overlay shows nothing of what is mounted below its lower folder
    if ((await mountPoints()).some((point) => point.startsWith(`${shown}/`))) return undefined;
    return await throwaway(around, shown, index, top);
  } catch (error) {
    // a file system that cannot map owners, or cannot lie below (one more) overlay
    if (error instanceof SystemError || (owner.uid + owner.gid > 0 && isKind(error, "invalid")))
      return undefined;
    throw error;
  }
}

/** How files of `owner` are shown as root's; undefined where they are that. */
function asRoots({ uid, gid }: Owner, remap: IdMap | undefined): IdMap | undefined {
  if (uid === 0 && gid === 0) return remap;
  const root = remap === undefined ? { uid: 0, gid: 0 } : mappedRoot(remap);
  return {
    uids: [{ disk: uid, seen: root.uid, count: 1 }],
    gids: [{ disk: gid, seen: root.gid, count: 1 }],
  };
}

/** Another stage or image as a remapped step is to see it. */
export async function remappedView(
  { session: { deps }, undo }: Surroundings,
  layers: readonly string[] | undefined,
): Promise<string | undefined> {
  if (deps.config.remap === undefined || layers === undefined) return undefined;
  const key = `build-view-${newId().slice(0, 24)}`;
  const root = await deps.snapshots.view(key, layers, { remapped: true });
  undo.add("view", () => deps.snapshots.remove(key));
  return root;
}

/**
 * The runtime has a mount namespace of its own, where our descriptors name nothing: they are mounted in ours first, with
 * owners as `map` shows them.
 */
export async function staged(
  { folder, undo }: Surroundings,
  held: string,
  index: number,
  map: IdMap | undefined,
): Promise<string> {
  const place = join(folder, `source-${index}`);
  if ((await stat(held)).isDirectory()) await mkdir(place, { recursive: true });
  // never emptied: a mount that the next one lies over may be there already
  else await writeFile(place, "", { flag: "a" });
  if (map !== undefined) await mountMapped(held, place, map);
  else bindMount(held, place, { recursive: true });
  undo.add("bind mount", () => unmount(place));
  return place;
}

async function copyOfContext(
  { session, undo, signal }: Surroundings,
  tree: Tree,
  source: string,
  index: number,
): Promise<string> {
  const { deps } = session;
  const folder = join(deps.paths.scratch, `bind-${session.ref}-${index}-${Date.now()}`);
  undo.add("copy of a context", () => deps.workers.call("removeTree", { path: folder }));
  await mkdir(folder, { recursive: true });
  const { ignore } = tree;
  const patterns = [`/./${source}`];
  await copyInto(session, { root: await tree.open(), ignore, exclude: [], patterns, parents: true }, folder);
  signal.throwIfAborted();
  return folder;
}

/** What is named of a tree, as it is, into an empty folder. */
export const copyInto = ({ deps }: Session, tree: TreeRequest, folder: string): Promise<unknown> =>
  deps.workers.call("copy", {
    inputs: [{ kind: "tree", tree, unpack: false }],
    upper: folder,
    destination: "/",
    follow: false,
    uid: 0,
    gid: 0,
    chowns: false,
    chmod: "",
    scratch: deps.paths.scratch,
  });

/** A folder or file whose changes go with the step; a folder shows the owner and mode of `top`, by default its own. */
export async function throwaway(
  around: Surroundings,
  source: string,
  index: number,
  top?: Owner & { mode: number },
): Promise<string> {
  const { folder, undo } = around;
  const at = join(folder, `bind-${index}`);
  const status = await stat(source);
  const { uid, gid, mode } = top ?? status;
  if (!status.isDirectory()) {
    await (status.isFile() ? copied(around, source, at) : copiedNode(around, status, at));
    return at;
  }
  const [upper, work, merged, empty] = ["upper", "work", "merged", "empty"].map((name) => join(at, name));
  if (!upper || !work || !merged || !empty) throw new EngineError("internal", "no folder for a mount");
  for (const path of [upper, work, merged, empty]) await mkdir(path, { recursive: true });
  await chown(upper, uid, gid);
  await chmod(upper, mode & 0o7777);
  mountOverlay({ lower: [source, empty], upper, work, volatile: true }, merged);
  undo.add("writable mount", () => unmount(merged));
  return merged;
}

/** A pipe, socket or device of its own: nothing is read, and what the step changes of it is not the layer's. */
async function copiedNode({ session, undo }: Surroundings, status: Stats, at: string): Promise<void> {
  const copy = join(session.deps.paths.scratch, `node-${newId().slice(0, 24)}`);
  undo.add("copy of a node", () => rm(copy, { force: true }));
  const made = mknodRaw(cwdFd, toBytes(copy), status.mode, status.rdev);
  must(made, () => `make ${copy}`);
  await chown(copy, status.uid, status.gid);
  await chmod(copy, status.mode & 0o7777);
  await writeFile(at, "");
  bindMount(copy, at, { recursive: true });
  undo.add("bind mount", () => unmount(at));
}

/**
 * A copy of a regular file, shown at `at`; it lies on the data root's disk, for the step's folder may be memory. A pipe or a
 * device is never opened: it could hold up the engine's own thread for ever, or act.
 */
async function copied({ session, undo, signal }: Surroundings, source: string, at: string): Promise<void> {
  const from = await open(source, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await from.stat();
    const { scratch } = session.deps.paths;
    const copy = join(scratch, `file-${newId().slice(0, 24)}`);
    undo.add("copy of a file", () => rm(copy, { force: true }));
    await pipeline(from.createReadStream({ autoClose: false }), createWriteStream(copy), { signal });
    await chown(copy, status.uid, status.gid);
    await chmod(copy, status.mode & 0o7777);
    await utimes(copy, status.mtime, status.mtime);
    await writeFile(at, "");
    bindMount(copy, at, { recursive: true });
    undo.add("bind mount", () => unmount(at));
  } finally {
    await from.close();
  }
}
