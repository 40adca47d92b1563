import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { EngineError } from "../lib/errors.ts";
import { PipeReader, startPiped } from "../system/pipe-reader.ts";
import { type SpawnedProcess, spawnProcess } from "../system/process.ts";
import { AttachClient } from "./attach/client.ts";
import type { StreamNumber } from "./attach/connection.ts";
import { pauseAtBytes, resumeAtBytes } from "./attach/streams.ts";
import type { RunningContainer } from "./containers.ts";
import type { RuntimeContext } from "./context.ts";
import type { Attachment, AttachOptions, ExecProcess } from "./contract.ts";
import { execFailure } from "./failure.ts";
import { inBundle } from "./paths.ts";
import { complaintIn, log } from "./runtime-log.ts";

/** Where its files are, and the command that gives it what the runtime cannot (`raiseLimits`). */
export interface PreparedExec {
  bundle: string;
  prefix: readonly string[];
}

export interface DirectExec {
  pid: number;
  attachment: Attachment;
  exit: Promise<number>;
}

/**
 * A process without input or terminal, for a client who waits for its output: the OCI runtime is our own child and writes
 * into pipes of ours, which saves the 5 ms of a conmon. When the engine dies, so does the client's connection; the process
 * runs on, and finds its pipes broken.
 */
export async function directExec(
  context: RuntimeContext,
  container: RunningContainer,
  exec: ExecProcess,
  options: AttachOptions,
  at: PreparedExec,
): Promise<DirectExec> {
  const { child, pipes } = spawn(context, container, exec, at);
  const streams = new PipedStreams(pipes, options);
  try {
    const pid = await startedPid(child, exec, at.bundle);
    const exit = child.exited.then(async (code) => {
      await streams.finish();
      return code;
    });
    return { pid, exit, attachment: streams.attachment };
  } catch (error) {
    streams.close();
    throw error;
  }
}

function spawn(
  context: RuntimeContext,
  { runtime }: RunningContainer,
  exec: ExecProcess,
  { bundle, prefix }: PreparedExec,
) {
  const argv = [
    ...prefix,
    runtime.executable(),
    ...runtime.globalArguments(context.paths.state),
    "--log",
    log(bundle),
    "exec",
    "--process",
    inBundle.process(bundle),
    "--pid-file",
    inBundle.pid(bundle),
    exec.containerId,
  ];
  const env = { PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin" };
  const enter = context.launcher.enterBy(runtime);
  return startPiped((fds) => enter(() => spawnProcess({ argv, env, cwd: bundle, fds, session: true })));
}

/** The runtime says the pid once the process is there; where it never is, it ends and says why. */
async function startedPid(child: SpawnedProcess, exec: ExecProcess, bundle: string): Promise<number> {
  let ended: number | undefined;
  const over = child.exited.then((code) => {
    ended = code;
  });
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 1.2, 20)) {
    await Promise.race([over, pause(waitMs)]);
    const pid = writtenPid(bundle);
    if (pid > 0 && ended === undefined) return pid;
    if (ended === undefined) continue;
    const complaint = ended === 0 ? "" : await complaintIn(bundle);
    const { args, cwd } = exec.process;
    if (complaint !== "") throw execFailure(complaint, { command: args[0] ?? "", cwd });
    if (pid > 0) return pid;
    throw new EngineError("internal", `exec ${exec.id}: the runtime ended with ${ended} and said nothing`);
  }
}

/** 0 while there is none. A file of a few bytes in memory: no need to leave the thread. */
function writtenPid(bundle: string): number {
  try {
    return Number(readFileSync(inBundle.pid(bundle), "latin1"));
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return 0;
    throw error;
  }
}

/** Two pipes, given to one client who may be slower than they are. */
class PipedStreams {
  readonly attachment: Attachment;
  private readonly client: AttachClient;
  private readonly readers: readonly PipeReader[];
  /** what comes is read and dropped, for an unread pipe stops the process */
  private left = false;

  constructor(pipes: readonly [number, number], options: AttachOptions) {
    this.client = new AttachClient(options, false, (left) => (left ? this.leave() : this.settle()));
    this.readers = pipes.map(
      (fd, index) => new PipeReader(fd, (bytes) => this.push(index === 0 ? 1 : 2, bytes)),
    );
    this.attachment = {
      output: this.client.output,
      write: () => Promise.resolve(),
      closeStdin: () => Promise.resolve(),
      close: () => this.leave(),
    };
  }

  /** The process has ended: what it wrote is taken, and the client told the end. */
  async finish(): Promise<void> {
    try {
      await Promise.all(this.readers.map((reader) => reader.finish()));
    } finally {
      this.client.end();
    }
  }

  close(): void {
    for (const reader of this.readers) reader.close();
    this.client.end();
  }

  private push(stream: StreamNumber, bytes: Buffer): void {
    if (this.left) return;
    this.client.push(stream, bytes);
    this.settle();
  }

  private settle(): void {
    const { queued } = this.client;
    if (queued >= pauseAtBytes && !this.left) for (const reader of this.readers) reader.pause();
    else if (queued <= resumeAtBytes || this.left) for (const reader of this.readers) reader.resume();
  }

  private leave(): void {
    this.left = true;
    this.client.end();
    this.settle();
  }
}
