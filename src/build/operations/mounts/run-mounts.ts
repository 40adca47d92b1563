import { chmod, chown, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../../lib/errors.ts";
import { overflowId, seenAs } from "../../../lib/users/id-map.ts";
import { initFailure, type StartFailure } from "../../../runtime/oci-runtime/failure.ts";
import type { MountInput } from "../../../runtime/spec/input.ts";
import { unmount } from "../../../system/mount/mount.ts";
import { mountTmpfs } from "../../../system/mount/tmpfs.ts";
import type { RunMount, RunOperation } from "../../graph/operation.ts";
import { relayTo } from "./agent-relay.ts";
import {
  bind,
  holdIfThere,
  type Prepared,
  remappedView,
  type Surroundings,
  staged,
  throwaway,
} from "./bind-mount.ts";
import { StepCaches } from "./cache-mounts.ts";
import type { ReadyMount } from "./mount-keys.ts";

const secretMax = 500 * 1024;

/** Makes ready what `RUN --mount` asks for; `undo` takes it back. */
export async function prepareMounts(
  around: Surroundings,
  mounts: readonly ReadyMount[],
  { files }: RunOperation,
): Promise<Prepared> {
  const prepared: Prepared = { mounts: [], env: [] };
  const caches = new StepCaches(around, mounts);
  let agents = 0;
  for (const [place, ready] of mounts.entries()) {
    const index = ready.mount.type === "ssh" ? agents++ : place;
    const { mount } = ready;
    const { mounts: more, env } =
      mount.type === "cache"
        ? { env: [], mounts: [await caches.mount(mount, ready)] }
        : await prepare(around, { ...ready, mount }, index);
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

type Other = ReadyMount & { mount: Exclude<RunMount, { type: "cache" }> };

function prepare(around: Surroundings, ready: Other, index: number): Promise<Prepared> {
  const { mount } = ready;
  switch (mount.type) {
    case "bind":
      return bind(around, mount, ready, index);
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
  const map = held === undefined ? around.session.deps.config.remap : undefined;
  const read = await staged(around, held ?? empty, index, map);
  const source = held === undefined ? read : await throwaway(around, read, index);
  return { env: [], mounts: [{ destination: target, type: "bind", source, options: ["rbind"] }] };
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

/** What stands behind it would be lost. */
const nulInVariable = (name: string): StartFailure =>
  initFailure(`invalid environment variable ${JSON.stringify(name)}: contains nul byte (\\x00)`);

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
    // as BuildKit has it, the variable is there and empty
    return { env: env === undefined ? [] : [`${env}=`], mounts: [] };
  }
  if (value.length > secretMax)
    throw new EngineError("tooLarge", `secret ${id} is larger than ${secretMax} bytes`);
  const prepared: Prepared = { env: [], mounts: [] };
  if (env !== undefined && value.includes(0)) throw nulInVariable(env);
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
