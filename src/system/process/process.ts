import { EngineError, messageOf } from "../../lib/errors.ts";
import { PipeReader, startPiped } from "./pipe-reader.ts";

/** Spawning. There is never a shell between: arguments are passed as they are. */
interface SpawnRequest {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** the child's descriptors from 0 on: a number of ours, or "ignore" for /dev/null */
  fds: readonly (number | "ignore")[];
  /** in a session of its own: signals of the engine's terminal do not reach it */
  session?: boolean;
}

export interface SpawnedProcess {
  pid: number;
  /** 0–255, or 128+n when a signal ended it */
  exited: Promise<number>;
  /** ends it at once; nothing where it has ended */
  kill(): void;
}

const living = new Set<object>();

/** Starts a process that may outlive this one and does not keep it alive. */
export function spawnProcess({ argv, env, cwd, fds, session }: SpawnRequest): SpawnedProcess {
  try {
    const child = Bun.spawn([...argv], {
      env: { ...env },
      cwd,
      detached: session === true,
      stdio: [...fds] as unknown as ["ignore", "ignore", "ignore"],
    });
    child.unref();
    living.add(child); // a collected child would never tell its end
    const exited = child.exited.finally(() => living.delete(child));
    return { pid: child.pid, exited, kill: () => child.kill("SIGKILL") };
  } catch (error) {
    throw new EngineError("internal", `start ${argv[0]}: ${messageOf(error)}`, { cause: error });
  }
}

interface WatchRequest {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** what it writes; a promise holds it back */
  output(stream: 1 | 2, bytes: Uint8Array): Promise<void> | void;
}

interface WatchedEnd {
  /** 0–255, or 128+n when a signal ended it */
  exitCode: number;
  /** of it and of all its ended children, getrusage(2) */
  cpuMs: number;
  /** bytes; of the largest process among them */
  peakMemory: number;
}

/** Runs a process to its end, its input empty; resolves once it has ended and all it wrote was taken. */
export async function watchProcess({ argv, env, cwd, output }: WatchRequest): Promise<WatchedEnd> {
  const { child, pipes } = spawnPiped(argv, env, cwd);
  living.add(child);
  try {
    const taken = Promise.all(pipes.map((fd, index) => takeAll(fd, index === 0 ? 1 : 2, output)));
    const [exitCode] = await Promise.all([child.exited, taken]);
    const usage = child.resourceUsage();
    return {
      exitCode,
      cpuMs: usage === undefined ? 0 : Number(usage.cpuTime.total) / 1000,
      peakMemory: usage?.maxRSS ?? 0,
    };
  } finally {
    living.delete(child);
  }
}

/** Hands on what comes, and holds the pipe back while the taker is busy. Rejects with what the taker threw. */
async function takeAll(fd: number, stream: 1 | 2, output: WatchRequest["output"]): Promise<void> {
  let failure: { error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
    reader.close();
  };
  let last: Promise<void> | undefined;
  const reader = new PipeReader(fd, (bytes) => {
    try {
      const busy = output(stream, Uint8Array.prototype.slice.call(bytes));
      if (!busy) return;
      reader.pause();
      last = busy.then(() => reader.resume(), fail);
    } catch (error) {
      fail(error);
    }
  });
  await reader.ended;
  await last;
  if (failure) throw failure.error;
}

/** Real pipes: a program must be able to open its output again, as /dev/stdout. */
function spawnPiped(argv: readonly string[], env: Readonly<Record<string, string>>, cwd: string) {
  try {
    return startPiped((fds) => Bun.spawn([...argv], { env: { ...env }, cwd, stdio: [...fds] }));
  } catch (error) {
    throw new EngineError("internal", `start ${argv[0]}: ${messageOf(error)}`, { cause: error });
  }
}

interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

interface CommandOptions {
  cwd?: string;
  signal?: AbortSignal;
  keptMax?: number;
  /** beside PATH and LC_ALL, all that the command gets */
  env?: Readonly<Record<string, string>>;
  /** in a session of its own, which ends whole at the time limit or the signal: for a command with children */
  session?: boolean;
}

/** Runs a short command to its end and gives what it said, of each stream the first `keptMax` bytes. */
export async function runCommand(
  argv: readonly string[],
  timeoutMs = 30_000,
  { cwd, signal, keptMax = 65_536, env = {}, session = false }: CommandOptions = {},
): Promise<CommandResult> {
  try {
    const { child, pipes } = startPiped((fds) =>
      Bun.spawn([...argv], {
        stdio: [...fds],
        detached: session,
        ...(cwd === undefined ? {} : { cwd }),
        ...(session ? {} : { timeout: timeoutMs, ...(signal === undefined ? {} : { signal }) }),
        env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C", ...env },
      }),
    );
    const [out, err] = pipes.map((fd) => firstPart(fd, keptMax));
    living.add(child);
    const release = session ? endsWhole(child, timeoutMs, signal) : undefined;
    const exitCode = await child.exited.finally(() => {
      release?.();
      living.delete(child);
    });
    return { exitCode, stdout: (await out?.()) ?? "", stderr: (await err?.()) ?? "" };
  } catch (error) {
    throw new EngineError("internal", `run ${argv[0]}: ${messageOf(error)}`, { cause: error });
  }
}

/** Kills a session's first process with its children at the time limit or the signal, until released. */
function endsWhole(child: Bun.Subprocess, timeoutMs: number, signal: AbortSignal | undefined): () => void {
  const end = (): void => {
    // once it has ended, its number may be another's
    if (child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ESRCH") throw error;
    }
  };
  const timer = setTimeout(end, timeoutMs);
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted) end();
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  };
}

/** Reads all, so that the writer is never held up, and keeps the beginning, which it gives once the writer has ended. */
function firstPart(fd: number, keptMax: number): () => Promise<string> {
  const kept: Uint8Array[] = [];
  let size = 0;
  const reader = new PipeReader(fd, (bytes) => {
    if (size < keptMax) kept.push(Buffer.from(bytes.subarray(0, keptMax - size)));
    size += bytes.length;
  });
  return async () => {
    await reader.finish();
    return Buffer.concat(kept).toString();
  };
}
