import { EngineError } from "../../lib/errors.ts";
import { Undo } from "../../lib/undo.ts";
import type { Attachment, AttachOptions } from "../../runtime/contract.ts";
import { cdiEdits } from "../cdi/resolve.ts";
import type { Container } from "../container.ts";
import { bundleOf, type Context } from "../context.ts";
import { sandboxRequest } from "../networks/request.ts";
import { refuseRemapped, remapOf, rootOwner } from "../remap.ts";
import { holdRoot } from "../root.ts";
import { finishHosts, nameFiles } from "../start/files.ts";
import { joinedContainer } from "../start/join-mode.ts";
import { prepareShm, releaseShm } from "../start/mounts/shm.ts";
import { makeTargets } from "../start/mounts/targets.ts";
import { prepareMounts, releaseVolumes } from "../start/mounts/volumes.ts";
import { joinNamespaces, networkDonor } from "../start/namespaces.ts";
import { runtimeName } from "../start/runtime-name.ts";
import { execInput, specFor } from "../start/spec.ts";
import { openOwnNamespaces } from "../start/user-namespace.ts";
import type { Exec } from "./exec.ts";
import { refuseVisited } from "./visit.ts";

interface Visiting {
  pid: number;
  attachment?: Attachment;
  exit: Promise<number>;
}

/**
 * Runs a command where there is no process to join: in a container of the runtime's own for it alone, on the container's
 * files and mounts, with its limits, rights and networks, but no published ports, log, health check or restart. To
 * everybody else the container stays as it is.
 */
export function execInStopped(
  ctx: Context,
  container: Container,
  exec: Exec,
  options: { attach: AttachOptions | undefined; size: readonly [number, number] | undefined },
): Promise<Visiting> {
  return container.lock.run(async () => {
    if (container.removing || container.alive)
      throw new EngineError("conflict", `container ${container.id} was started or removed meanwhile`);
    refuseVisited(container);
    const undo = new Undo();
    const report = (sentence: string): void => ctx.logger.warn(sentence, { container: container.id });
    const finished = Promise.withResolvers<void>();
    try {
      container.visit = { execId: exec.id, over: finished.promise };
      undo.add("visit", () => {
        container.visit = undefined;
        ctx.visits.delete(exec.id);
        finished.resolve();
      });
      const exit = new Promise<number>((resolve) => ctx.visits.set(exec.id, resolve));
      const begun = await begin(ctx, container, exec, { ...options, undo });
      exec.visiting = true;
      const over = exit.then(async (code) => {
        await container.lock.run(() => undo.run(report));
        return code;
      });
      return { ...begun, exit: over };
    } catch (error) {
      await undo.run(report);
      throw error;
    }
  });
}

async function begin(
  ctx: Context,
  container: Container,
  exec: Exec,
  options: { attach: AttachOptions | undefined; size: readonly [number, number] | undefined; undo: Undo },
): Promise<Omit<Visiting, "exit">> {
  const { undo, attach } = options;
  const { hostConfig } = container.spec;
  networkDonor(ctx, container);
  refuseRemapped(ctx, hostConfig);
  const held: (() => void)[] = [];
  const letGo = (): void => {
    for (const close of held.splice(0)) close();
  };
  const keep = (close: () => void): number => held.push(close);
  undo.add("held sources", letGo);
  const ours = remapOf(ctx, container) && (await openOwnNamespaces(ctx, container, keep));
  const { root, release } = await holdRoot(ctx, container);
  undo.add("root", release);
  const own = joinedContainer(hostConfig.NetworkMode) === undefined;
  if (own) undo.add("network", () => ctx.networks.close(container.id));
  const namespace = ours?.network === undefined ? {} : { namespace: ours.network };
  const sandbox = own
    ? await ctx.networks.open({ ...sandboxRequest(ctx, container), ports: [], ...namespace })
    : undefined;
  sandbox?.ready.catch(() => undefined); // awaited below
  const files = await nameFiles(ctx, container);
  undo.add("volumes", () => releaseVolumes(ctx, exec.id));
  const mounts = await prepareMounts(ctx, container, {
    root,
    keep,
    user: exec.id,
  });
  undo.add("shm", () => releaseShm(ctx, container));
  const shm = await prepareShm(ctx, container);
  makeTargets(root, mounts, rootOwner(ctx, container));
  const spec = specFor(ctx, container, {
    root,
    netnsPath: sandbox?.netnsPath,
    joined: joinNamespaces(ctx, container, keep),
    userns: ours?.user,
    files,
    mounts: [...mounts, ...shm],
    edits: await cdiEdits(hostConfig, ctx.config.cdiSpecDirs, (text) => ctx.logger.warn(text)),
    visit: { id: exec.id, process: execInput(ctx, container, exec, options.size) },
  });
  undo.add("process", () => ctx.runtime.delete(exec.id));
  const runtime = runtimeName(ctx, container);
  const pid = await ctx.runtime.create({
    id: exec.id,
    bundle: bundleOf(ctx, exec.id),
    spec,
    terminal: exec.request.Tty,
    stdin: attach !== undefined && exec.request.AttachStdin,
    stdinOnce: true,
    ...(runtime === undefined ? {} : { runtime }),
  });
  letGo();
  const state = await sandbox?.ready;
  if (state) await finishHosts(ctx, container, state);
  const attachment = attach && (await ctx.runtime.attach(exec.id, attach));
  await ctx.runtime.start(exec.id);
  return { pid, ...(attachment ? { attachment } : {}) };
}
