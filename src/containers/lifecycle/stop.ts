import { signalNumber, signals } from "../../lib/container/signals.ts";
import { EngineError, isKind, messageOf } from "../../lib/errors.ts";
import { longestTimerMs } from "../clock.ts";
import type { Container } from "../container.ts";
import { type Context, recordLife, tell } from "../context.ts";
import type { Sender } from "../contract.ts";
import { running } from "./pause.ts";

export interface StopOptions {
  signal?: string;
  timeoutS?: number;
  /** who wants its end; `stop` unless said */
  sender?: Sender;
  /** its restart policy leaves it so, unless this is false */
  byUser?: boolean;
}

/** after SIGKILL a process is gone in milliseconds, unless it hangs in the kernel */
const killWaitMs = 10_000;
const sentMax = 16;

/** `POST /containers/{id}/stop`: the stop signal, then SIGKILL after the timeout. */
export async function stop(
  ctx: Context,
  container: Container,
  reference: string,
  options: StopOptions,
): Promise<void> {
  await startSettled(container);
  if (!container.running) throw new EngineError("notModified", "container is already stopped");
  const mark = {};
  container.stopping.add(mark);
  try {
    await stopProcess(ctx, container, options);
    // with the exit it was told already; what only waited for its restart had none
    if (container.stopping.has(mark)) tell(ctx, container, "stop");
  } catch (error) {
    // a restart says what it could not do itself
    if (options.sender === "restart" || !(isKind(error, "invalid") || isKind(error, "internal"))) throw error;
    const sentence = `cannot stop container: ${reference}: ${messageOf(error)}`;
    throw new EngineError("internal", sentence, { cause: error });
  } finally {
    container.stopping.delete(mark);
  }
}

/** Ends the process however it must; the caller does not hold the lock, so that the exit can be handled. */
export async function stopProcess(ctx: Context, container: Container, options: StopOptions): Promise<void> {
  const signal = numberOf(options.signal || container.spec.config.StopSignal || "SIGTERM");
  const timeoutS = options.timeoutS ?? container.spec.config.StopTimeout ?? ctx.config.defaultStopTimeout;
  if (await gaveUpRestart(ctx, container)) return;
  const ended = container.ended;
  const order: SignalOrder = { sender: options.sender ?? "stop", byUser: options.byUser ?? true };
  await sendSignal(ctx, container, signal, order);
  if (await within(ended, timeoutS < 0 ? Number.POSITIVE_INFINITY : timeoutS * 1000))
    return afterExit(container);
  await killAndWait(ctx, container, signals.kill, order);
}

export function numberOf(name: string): number {
  const number = signalNumber(name);
  if (number === undefined)
    throw new EngineError(
      "invalid",
      /^-?\d{1,18}$/.test(name) && Number(name) !== 0
        ? `the linux daemon does not support signal ${Number(name)}`
        : `invalid signal: ${name}`,
    );
  return number;
}

/** A container that waits for its restart becomes an ended one; the caller holds the lock. */
export function giveUpRestart(ctx: Context, container: Container): void {
  container.cancelRestart?.();
  container.life = { ...container.life, status: "exited" };
  recordLife(ctx, container);
  container.waiters.exited(container.life.exitCode);
}

/** Calls off the restart a container waits for; false when it waits for none. */
export function gaveUpRestart(ctx: Context, container: Container): Promise<boolean> {
  return container.lock.run(async () => {
    if (container.life.status !== "restarting") return false;
    container.life = { ...container.life, stoppedByUser: true };
    giveUpRestart(ctx, container);
    return true;
  });
}

interface SignalOrder {
  sender: Sender;
  /** a user wants its end: a restart policy leaves it so */
  byUser: boolean;
}

/** Sends a signal to the first process; thaws a paused container, which could not act on it. */
export function sendSignal(
  ctx: Context,
  container: Container,
  signal: number,
  { sender, byUser }: SignalOrder,
): Promise<void> {
  return container.lock.run(async () => {
    if (!container.alive) return;
    if (byUser && !container.life.stoppedByUser) markStopped(ctx, container);
    noteSent(container, sender, signal);
    try {
      await ctx.runtime.kill(container.id, signal);
    } catch (error) {
      // it ended by itself just now: its exit is on the way
      if (!isKind(error, "notFound")) throw error;
    }
    tell(ctx, container, "kill", { signal: String(signal) });
    if (container.life.status === "paused") {
      container.life = running(container.life);
      recordLife(ctx, container);
      await ctx.runtime.resume(container.id).catch((error: unknown) => {
        // what was killed while frozen may be gone before it is thawed
        ctx.logger.debug("resume after a signal", { container: container.id, error: String(error) });
      });
    }
  });
}

/** Some of the last are enough; a client may send thousands. */
function noteSent(container: Container, by: Sender, signal: number): void {
  container.sent.push({ by, signal, atMs: performance.now() });
  if (container.sent.length > sentMax) container.sent.shift();
}

/** On disk only where it decides something: whether a policy restarts it after a crash of the engine. */
function markStopped(ctx: Context, container: Container): void {
  container.life = { ...container.life, stoppedByUser: true };
  if (container.spec.hostConfig.RestartPolicy.Name !== "no") ctx.store.saveLife(container);
}

/** SIGKILL until it is gone, and its exit handled. */
export async function killAndWait(
  ctx: Context,
  container: Container,
  signal: number,
  order: SignalOrder,
): Promise<void> {
  const ended = container.ended;
  if (container.alive) await sendSignal(ctx, container, signal, order);
  if (!(await within(ended, killWaitMs)))
    throw new EngineError(
      "internal",
      `container ${container.id} did not end within ${killWaitMs / 1000} s of SIGKILL`,
    );
  await afterExit(container);
}

/** Lets a start that is under way come to its end: running or failed. */
export async function startSettled(container: Container): Promise<void> {
  if (container.life.status === "starting") await container.lock.run(() => Promise.resolve());
}

/** Waits for the exit's handling, which runs under the lock. */
const afterExit = (container: Container): Promise<void> => container.lock.run(() => Promise.resolve());

async function within(ended: Promise<void>, ms: number): Promise<boolean> {
  if (ms > longestTimerMs) return ended.then(() => true);
  let timer: Timer | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const done = await Promise.race([ended.then(() => true), late]);
  clearTimeout(timer);
  return done;
}
