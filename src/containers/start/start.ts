import { EngineError, wrap } from "../../lib/errors.ts";
import { formatNs, nowNs } from "../../lib/time/time.ts";
import { Undo } from "../../lib/undo.ts";
import type { Sandbox, SandboxState } from "../../network/contract.ts";
import type { ContainerProcess } from "../../runtime/contract.ts";
import { cdiEdits } from "../cdi/resolve.ts";
import type { Container } from "../container.ts";
import { bundleOf, type Context, recordLife, tell } from "../context.ts";
import { refuseVisited } from "../exec/visit.ts";
import { startHealth } from "../health/health.ts";
import { removeFailedStart } from "../lifecycle/discard.ts";
import { scheduleRestart } from "../lifecycle/restart-manager.ts";
import { nextRetry } from "../lifecycle/restart-policy.ts";
import { refreshLinking } from "../links/refresh.ts";
import { checkLinked } from "../links/start.ts";
import { openLogDriver } from "../logs/log-driver.ts";
import { logPathIn, logPolicyOf } from "../logs/logs.ts";
import { hostNetworkSentence } from "../networks/connect.ts";
import { knownNetworks } from "../networks/endpoints.ts";
import { sandboxRequest, tellLeft, tellNetworks } from "../networks/request.ts";
import { refuseRemapped, remapOf, rootOwner } from "../remap.ts";
import { mountRoot } from "../root.ts";
import { failureOf } from "./failure.ts";
import { finishHosts, nameFiles } from "./files.ts";
import { joinedContainer } from "./join-mode.ts";
import { unmountViews } from "./mounts/image-views.ts";
import { prepareShm, releaseShm } from "./mounts/shm.ts";
import { makeTargets } from "./mounts/targets.ts";
import { checkSources, prepareMounts, releaseVolumes, tellMounted, tellUnmounted } from "./mounts/volumes.ts";
import { joinNamespaces, networkDonor } from "./namespaces.ts";
import { runtimeName } from "./runtime-name.ts";
import { specFor } from "./spec.ts";
import { openOwnNamespaces } from "./user-namespace.ts";

/** `POST /containers/{id}/start`, by a user. */
export async function start(
  ctx: Context,
  container: Container,
  { entrypoint }: { entrypoint?: string[] } = {},
): Promise<void> {
  await container.lock.run(async () => {
    refuseStart(container);
    await checkSources(container);
    container.cancelRestart?.();
    container.life = { ...container.life, restartCount: 0 };
    container.backoffMs = 0;
    container.commandOnce = entrypoint;
    await launch(ctx, container).finally(() => {
      container.commandOnce = undefined;
    });
  });
}

function refuseStart({ life, removing }: Container): void {
  if (removing || life.status === "removing" || life.status === "dead")
    throw new EngineError("conflict", "container is marked for removal and cannot be started");
  if (life.status === "paused")
    throw new EngineError("conflict", "cannot start a paused container, try unpause instead");
  if (life.status === "running" || life.status === "restarting")
    throw new EngineError("notModified", "container is already running");
}

/**
 * Brings the process up; the caller holds the container's lock. `starting` is on disk before anything is made, so that
 * a crash in the middle is found; whatever was made is undone when a later step fails, and the failure stays with the
 * container as Docker keeps it.
 */
export async function launch(ctx: Context, container: Container): Promise<void> {
  refuseVisited(container);
  const undo = new Undo();
  const before = container.life.status;
  container.startsAgain = before === "restarting";
  // how it ended last stays with it until it runs again: a crash in between must not make another story of it
  ctx.store.setLife(container, { ...container.life, status: "starting", stoppedByUser: false });
  try {
    const sandbox = await bringUp(ctx, container, undo);
    becomeRunning(ctx, container, sandbox);
    undo.drop();
  } catch (error) {
    await fail(ctx, container, before, undo, error);
  }
}

/** What `start` does, in order; network and files are being wired while the runtime makes the container. */
async function bringUp(ctx: Context, container: Container, undo: Undo): Promise<SandboxState | undefined> {
  const { id } = container;
  ctx.runtime.expectProcess();
  networkDonor(ctx, container);
  checkLinked(ctx, container);
  refuseRemapped(ctx, container.spec.hostConfig);
  const held: (() => void)[] = [];
  undo.add("held sources", () => release(held));
  const keep = (close: () => void): number => held.push(close);
  const own = remapOf(ctx, container) && (await openOwnNamespaces(ctx, container, keep));
  const opening = openNetwork(ctx, container, own?.network);
  const mounting = mountRoot(ctx, container, { volatile: container.spec.hostConfig.AutoRemove });
  undo.add("network", async () => {
    const opened = await opening.catch(() => undefined);
    await ctx.networks.close(id);
    if (opened) tellLeft(ctx, container);
  });
  undo.add("mount", async () => {
    if (container.rootUsers > 0) return;
    await unmountViews(ctx, container);
    await ctx.snapshots.unmount(id);
  });
  const [sandbox, root, files] = await settled([opening, mounting, nameFiles(ctx, container)]);
  const ready = sandbox?.ready;
  // it is awaited below, but may fail before that
  ready?.catch(() => undefined);
  undo.add("volumes", () => releaseVolumes(ctx, id));
  const mounts = await prepareMounts(ctx, container, { root, keep, user: id });
  undo.add("shm", () => releaseShm(ctx, container));
  const shm = await prepareShm(ctx, container);
  makeTargets(root, mounts, rootOwner(ctx, container));
  const spec = specFor(ctx, container, {
    root,
    netnsPath: sandbox?.netnsPath,
    joined: joinNamespaces(ctx, container, keep),
    userns: own?.user,
    files,
    mounts: [...mounts, ...shm],
    edits: await cdiEdits(container.spec.hostConfig, ctx.config.cdiSpecDirs, (text) => ctx.logger.warn(text)),
  });
  const followLog = await openLogDriver(ctx, container, { mustConnect: !container.startsAgain });
  if (followLog) undo.add("log driver", () => Promise.resolve(followLog(Promise.resolve())));
  undo.add("process", () => ctx.runtime.delete(id));
  const creating = ctx.runtime.create(processOf(ctx, container, spec, Object.values(files)));
  // a network that fails takes its namespace away under the runtime, whose complaint then is not the reason
  const [created, wired] = await Promise.allSettled([creating, ready]);
  if (wired.status === "rejected") throw networkFailure(wired.reason);
  if (created.status === "rejected") throw created.reason;
  container.life = { ...container.life, pid: created.value };
  release(held);
  const state = wired.value;
  tellMounted(ctx, container);
  if (state) {
    await finishHosts(ctx, container, state);
    tellNetworks(ctx, container, state, "connect");
  }
  container.begin();
  followLog?.(container.ended);
  await beginSessions(container);
  await ctx.runtime.start(id);
  return state;
}

function processOf(
  ctx: Context,
  container: Container,
  spec: ContainerProcess["spec"],
  ownFiles: string[],
): ContainerProcess {
  const { id } = container;
  const { Tty, OpenStdin, StdinOnce } = container.spec.config;
  const logPath = logPathIn(ctx, container);
  const runtime = runtimeName(ctx, container);
  return {
    ...{ id, spec, ownFiles },
    bundle: bundleOf(ctx, id),
    terminal: Tty,
    stdin: OpenStdin,
    stdinOnce: StdinOnce,
    ...(logPath === undefined ? {} : { logPath }),
    ...(runtime === undefined ? {} : { runtime }),
  };
}

/** Sources that were held until the runtime had mounted them. */
function release(held: (() => void)[]): void {
  for (const close of held.splice(0)) close();
}

/** All of them, also when one fails: nothing may still be under way when the undoing begins. */
async function settled<A, B, C>(work: [Promise<A>, Promise<B>, Promise<C>]): Promise<[A, B, C]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

function openNetwork(
  ctx: Context,
  container: Container,
  namespace: string | undefined,
): Promise<Sandbox | undefined> {
  const mode = container.spec.hostConfig.NetworkMode;
  if (joinedContainer(mode) !== undefined) return Promise.resolve(undefined);
  if (mode !== "host" && "host" in container.spec.networks)
    throw new EngineError("invalid", `failed to set up container networking: ${hostNetworkSentence}`);
  return ctx.networks
    .open({ ...sandboxRequest(ctx, container), ...(namespace === undefined ? {} : { namespace }) })
    .catch((error: unknown) => Promise.reject(networkFailure(error)));
}

const networkFailure = (error: unknown): EngineError => wrap("failed to set up container networking", error);

/** Clients that attached before there was a process are joined to it before it can write a byte. */
async function beginSessions(container: Container): Promise<void> {
  const waiting = [...container.pending];
  container.pending.clear();
  await Promise.all(waiting.map((session) => session.begin()));
}

function becomeRunning(ctx: Context, container: Container, sandbox: SandboxState | undefined): void {
  const remap = remapOf(ctx, container);
  const life = { ...container.life };
  delete life.sandbox;
  delete life.remap;
  container.life = {
    ...life,
    status: "running",
    startedAt: formatNs(nowNs()),
    error: "",
    exitCode: 0,
    oomKilled: false,
    ...(sandbox ? { sandbox, networks: knownNetworks(sandbox) } : {}),
    ...(remap === undefined ? {} : { remap }),
  };
  container.begunMs = performance.now();
  ctx.store.saveLife(container);
  const logPath = logPathIn(ctx, container);
  if (logPath !== undefined) ctx.runtime.rotate(container.id, logPath, logPolicyOf(ctx, container));
  tell(ctx, container, "start");
  startHealth(ctx, container);
  ctx.background.run(`hosts of those that link to ${container.name}`, () => refreshLinking(ctx, container));
}

async function fail(
  ctx: Context,
  container: Container,
  before: string,
  undo: Undo,
  error: unknown,
): Promise<never> {
  const { error: told, exitCode } = failureOf(error, container.life.exitCode);
  await undo.run((sentence) => ctx.logger.warn(sentence, { container: container.id }));
  tellUnmounted(ctx, container);
  for (const session of container.pending) session.end();
  container.pending.clear();
  container.end();
  const retryMs = container.startsAgain ? nextRetry(container, told) : undefined;
  const ended = before === "created" ? "created" : "exited";
  const life = { ...container.life };
  delete life.sandbox;
  container.life = {
    ...life,
    status: retryMs === undefined ? ended : "restarting",
    pid: 0,
    exitCode,
    error: told.message,
    ...(retryMs === undefined ? {} : { restartCount: life.restartCount + 1 }),
  };
  recordLife(ctx, container);
  container.waiters.exited(exitCode);
  if (retryMs !== undefined && !ctx.closing) scheduleRestart(ctx, container, retryMs);
  if (container.spec.hostConfig.AutoRemove) await removeFailedStart(ctx, container);
  throw told;
}
