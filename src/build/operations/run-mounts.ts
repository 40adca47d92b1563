import { constants, createWriteStream } from "node:fs";
import { chmod, chown, mkdir, open, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { EngineError } from "../../lib/errors.ts";
import { overflowId, seenAs } from "../../lib/id-map.ts";
import { newId } from "../../lib/ids.ts";
import type { Undo } from "../../lib/undo.ts";
import type { MountInput } from "../../runtime/spec/input.ts";
import { close, flags, toBytes } from "../../system/at.ts";
import { mountMapped } from "../../system/mapped-mount.ts";
import { bindMount, mountOverlay, unmount } from "../../system/mount.ts";
import { openInsideRaw } from "../../system/root-view.ts";
import { mountTmpfs } from "../../system/tmpfs.ts";
import { notFound, openTree } from "../copy/match.ts";
import type { RunMount, RunOperation, TreeSource } from "../graph/operation.ts";
import type { Session } from "../solver/session.ts";
import { relayTo } from "./agent-relay.ts";
import { cacheKeyError, type Tree } from "./copy.ts";
import { isImage, MissingSource } from "./missing-source.ts";
import type { ReadyMount } from "./mount-keys.ts";

export interface Surroundings {
  session: Session;
  root: string;
  /** of this step alone */
  folder: string;
  signal: AbortSignal;
  undo: Undo;
}

interface Prepared {
  mounts: MountInput[];
  env: string[];
}

const secretMax = 500 * 1024;

/** Makes ready what `RUN --mount` asks for; `undo` takes it back. */
export async function prepareMounts(
  around: Surroundings,
  mounts: readonly ReadyMount[],
  { files }: RunOperation,
): Promise<Prepared> {
  const prepared: Prepared = { mounts: [], env: [] };
  let agents = 0;
  for (const [place, ready] of mounts.entries()) {
    const index = ready.mount.type === "ssh" ? agents++ : place;
    const { mounts: more, env } = await prepare(around, ready, index);
    prepared.mounts.push(...more);
    prepared.env.push(...env);
  }
  for (const [index, { path, content, mode }] of files.entries()) {
    const source = join(around.folder, `file-${index}`);
    await writeFile(source, content);
    await chmod(source, mode);
    prepared.mounts.push({ destination: path, type: "bind", source, options: ["rbind", "ro"] });
  }
  return prepared;
}

function prepare(around: Surroundings, ready: ReadyMount, index: number): Promise<Prepared> {
  const { mount } = ready;
  switch (mount.type) {
    case "bind":
      return bind(around, mount, ready, index);
    case "cache":
      return cache(around, mount, ready);
    case "volume":
      return volume(around, mount, ready, index);
    case "tmpfs":
      return Promise.resolve({ env: [], mounts: [tmpfs(mount)] });
    case "secret":
      return secret(around, mount, index);
    case "ssh":
      return ssh(around, mount, index);
  }
}

const tmpfs = ({ target, size }: RunMount & { type: "tmpfs" }): MountInput => ({
  destination: target,
  type: "tmpfs",
  source: "tmpfs",
  options: ["nosuid", ...(size === undefined ? [] : [`size=${size}`])],
});

/** A path below a tree, held by a descriptor until the step is over; links are followed inside the tree only. */
function hold(around: Surroundings, root: string, source: string, from: TreeSource): string {
  const held = holdIfThere(around, root, source);
  if (held !== undefined) return held;
  if (isImage(from)) throw new MissingSource("notFound", `open /${source}: no such file or directory`);
  throw cacheKeyError(notFound(source));
}

function holdIfThere({ undo }: Surroundings, root: string, source: string): string | undefined {
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

async function bind(
  around: Surroundings,
  { target, source, from, writable }: RunMount & { type: "bind" },
  { tree }: ReadyMount,
  index: number,
): Promise<Prepared> {
  if (tree === undefined) throw new EngineError("internal", "a bind mount without a source");
  // to be looked at the layers must be here: opening brings them
  const whole = tree.ignore.length === 0 ? await tree.open() : await filtered(around, tree, source, index);
  const root = (await remappedView(around, tree.layers)) ?? whole;
  const held = hold(around, root, source.replace(/^\/+/, ""), from);
  const read = await staged(around, held, index, tree.layers === undefined);
  const path = writable ? await throwaway(around, read, index) : read;
  const options = ["rbind", ...(writable ? [] : ["ro"])];
  return { env: [], mounts: [{ destination: target, type: "bind", source: path, options }] };
}

/** A folder that is not there begins empty; what is no folder cannot be mounted over and stays. */
async function volume(
  around: Surroundings,
  { target }: RunMount & { type: "volume" },
  { tree }: ReadyMount,
  index: number,
): Promise<Prepared> {
  if (tree === undefined) throw new EngineError("internal", "a volume without a base");
  const root = (await remappedView(around, tree.layers)) ?? (await tree.open());
  const held = holdIfThere(around, root, target.replace(/^\/+/, ""));
  if (held !== undefined && !(await stat(held)).isDirectory()) return { env: [], mounts: [] };
  const empty = join(around.folder, `volume-${index}`);
  if (held === undefined) await mkdir(empty, { mode: 0o755 });
  const read = await staged(around, held ?? empty, index, held === undefined);
  const source = held === undefined ? read : await throwaway(around, read, index);
  return { env: [], mounts: [{ destination: target, type: "bind", source, options: ["rbind"] }] };
}

/** Another stage or image as a remapped step is to see it. */
async function remappedView(
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
 * The runtime has a mount namespace of its own, where our descriptors name nothing: they are mounted in ours first. With
 * `shift`, owners are shown as a remapped step has them.
 */
async function staged(
  { session, folder, undo }: Surroundings,
  held: string,
  index: number,
  shift: boolean,
): Promise<string> {
  const { remap } = session.deps.config;
  const place = join(folder, `source-${index}`);
  if ((await stat(held)).isDirectory()) await mkdir(place);
  else await writeFile(place, "");
  if (shift && remap) await mountMapped(held, place, remap);
  else bindMount(held, place, { recursive: true });
  undo.add("bind mount", () => unmount(place));
  return place;
}

/** What an ignore file leaves out is not to be seen: the rest is copied. */
async function filtered(
  { session, undo, signal }: Surroundings,
  tree: Tree,
  source: string,
  index: number,
): Promise<string> {
  const { deps } = session;
  const folder = join(deps.paths.scratch, `bind-${session.ref}-${index}-${Date.now()}`);
  undo.add("copy of a context", () => deps.workers.call("removeTree", { path: folder }));
  await mkdir(folder, { recursive: true });
  const kept = {
    root: await tree.open(),
    ignore: tree.ignore,
    exclude: [],
    patterns: [`/./${source}`],
    parents: true,
  };
  await deps.workers.call("copy", {
    inputs: [{ kind: "tree", tree: kept, unpack: false }],
    upper: folder,
    destination: "/",
    follow: false,
    uid: 0,
    gid: 0,
    chowns: false,
    chmod: "",
    scratch: deps.paths.scratch,
  });
  signal.throwIfAborted();
  return folder;
}

/** A folder or file whose changes go with the step. */
async function throwaway(around: Surroundings, source: string, index: number): Promise<string> {
  const { folder, undo } = around;
  const at = join(folder, `bind-${index}`);
  const status = await stat(source);
  const { uid, gid } = status;
  if (!status.isDirectory()) {
    if (!status.isFile())
      throw new EngineError(
        "invalid",
        `mount ${index}: only a folder or a regular file can be bound for writing`,
      );
    await copied(around, source, at);
    return at;
  }
  const [upper, work, merged, empty] = ["upper", "work", "merged", "empty"].map((name) => join(at, name));
  if (!upper || !work || !merged || !empty) throw new EngineError("internal", "no folder for a mount");
  for (const path of [upper, work, merged, empty]) await mkdir(path, { recursive: true });
  await chown(upper, uid, gid);
  mountOverlay({ lower: [source, empty], upper, work, volatile: true }, merged);
  undo.add("writable mount", () => unmount(merged));
  return merged;
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

async function cache(
  around: Surroundings,
  mount: RunMount & { type: "cache" },
  { tree }: ReadyMount,
): Promise<Prepared> {
  const { session, signal, undo } = around;
  const { id, sharing, mode, uid, gid, target, readOnly, source } = mount;
  const seed = tree === undefined ? {} : { seed: (folder: string) => fill(session, tree, source, folder) };
  const plain = mode === 0o755 && uid === 0 && gid === 0;
  const held = await session.deps.cacheMounts.acquire({
    // with another owner or mode it is another cache
    id: plain || tree !== undefined ? id : `${id} ${mode.toString(8)} ${uid}:${gid}`,
    sharing,
    mode,
    uid,
    gid,
    description: `cached mount ${target} from exec`,
    signal,
    ...seed,
  });
  undo.add("cache mount", () => held.release());
  const options = ["rbind", ...(readOnly ? ["ro"] : [])];
  return {
    env: [],
    mounts: [
      {
        destination: target,
        type: "bind",
        source: session.deps.snapshots.remappedPath(held.folder) ?? held.folder,
        options,
      },
    ],
  };
}

async function fill(
  { deps }: Session,
  { open, ignore, layers }: Tree,
  source: string,
  folder: string,
): Promise<void> {
  const root = await open();
  const owners = layers !== undefined;
  await deps.workers.call("copy", {
    inputs: [
      {
        kind: "tree",
        tree: { root, ignore, exclude: [], patterns: [source], parents: false, owners },
        unpack: false,
      },
    ],
    upper: folder,
    destination: "/",
    follow: false,
    uid: 0,
    gid: 0,
    chowns: false,
    chmod: "",
    scratch: deps.paths.scratch,
  });
}

/** Makes something of the engine's one of the step's users'. */
async function give(
  { session }: Surroundings,
  path: string,
  { uid, gid }: { uid: number; gid: number },
): Promise<void> {
  const { remap } = session.deps.config;
  const [user, group] = remap ? [seenAs(remap.uids, uid), seenAs(remap.gids, gid)] : [uid, gid];
  await chown(path, user ?? overflowId, group ?? overflowId);
}

/** Secrets lie in memory alone, and only while the step runs. */
async function secret(
  around: Surroundings,
  { id, target, env, required, mode, uid, gid }: RunMount & { type: "secret" },
  index: number,
): Promise<Prepared> {
  const { session, folder, undo } = around;
  const value = await session.request.secrets.get(id);
  if (value === undefined) {
    if (required) throw new EngineError("notFound", `secret ${id}: not found`);
    return { env: [], mounts: [] };
  }
  if (value.length > secretMax)
    throw new EngineError("tooLarge", `secret ${id} is larger than ${secretMax} bytes`);
  const prepared: Prepared = { env: [], mounts: [] };
  if (env !== undefined) prepared.env.push(`${env}=${Buffer.from(value).toString("utf8")}`);
  if (target === undefined) return prepared;
  const at = join(folder, `secret-${index}`);
  await mkdir(at, { mode: 0o700 });
  mountTmpfs(at, "size=1m,mode=0700");
  undo.add("secret", () => unmount(at));
  const source = join(at, "value");
  await writeFile(source, value, { mode: 0o600 });
  await give(around, source, { uid, gid });
  await chmod(source, mode);
  prepared.mounts.push({
    destination: target,
    type: "bind",
    source,
    options: ["rbind", "ro", "nosuid", "nodev", "noexec"],
  });
  return prepared;
}

/** `index`: among its kind; the variable names the first, whether there is an agent or not. */
async function ssh(
  around: Surroundings,
  { id, target, required, mode, uid, gid }: RunMount & { type: "ssh" },
  index: number,
): Promise<Prepared> {
  const { session, undo } = around;
  const socket = await session.request.ssh.open(id);
  const destination = target === "" ? `/run/buildkit/ssh_agent.${index}` : target;
  const env = index === 0 ? [`SSH_AUTH_SOCK=${destination}`] : [];
  if (socket === undefined) {
    if (required) throw new EngineError("notFound", `unset ssh forward key ${id}`);
    return { env, mounts: [] };
  }
  undo.add("ssh agent", () => socket.close());
  const path = socket.foreign ? await relayTo(socket.path, session.deps.paths.steps, undo) : socket.path;
  await give(around, path, { uid, gid });
  await chmod(path, mode);
  return { env, mounts: [{ destination, type: "bind", source: path, options: ["rbind"] }] };
}
