import { setTimeout as pause } from "node:timers/promises";
import { EngineError } from "../../lib/errors.ts";
import { PipeReader, startPiped } from "../../system/process/pipe-reader.ts";
import { type SpawnedProcess, spawnProcess } from "../../system/process/process.ts";
import { AttachClient } from "../attach/client.ts";
import type { StreamNumber } from "../attach/connection.ts";
import { pauseAtBytes, resumeAtBytes } from "../attach/streams.ts";
import type { RunningContainer } from "../containers.ts";
import type { RuntimeContext } from "../context.ts";
import type { Attachment, AttachOptions, ExecProcess } from "../contract.ts";
import { execFailure } from "../oci-runtime/failure.ts";
import { commandOf, runtimeEnvironment } from "../oci-runtime/oci-runtime.ts";
import { ExecFiles } from "./exec-files.ts";

interface DirectExec {
  pid: number;
  attachment: Attachment;
  exit: Promise<number>;
}

/**
 * A process without input or terminal, for a client who waits for its output: the OCI runtime is our own child and writes
 * into pipes of ours, which saves the 5 ms of a conmon. When the engine dies, so does the client's connection; the process
 * runs on, and finds its pipes broken. `prefix` is the command that gives it what the runtime cannot (`raiseLimits`).
 */
export async function directExec(
  context: RuntimeContext,
  container: RunningContainer,
  exec: ExecProcess,
  { prefix, ...options }: AttachOptions & { prefix: readonly string[] },
): Promise<DirectExec> {
  const files = new ExecFiles(container.bundle, exec, context.logger);
  let streams: PipedStreams | undefined;
  try {
    const { child, pipes } = spawn(context, container, exec, [...prefix], files);
    streams = new PipedStreams(pipes, options);
    const pid = await startedPid(child, streams.spoken, exec, files);
    const { attachment } = streams;
    const exit = child.exited
      .then(async (code) => {
        await streams?.finish();
        return code;
      })
      .finally(() => files.release());
    return { pid, exit, attachment };
  } catch (error) {
    streams?.close();
    files.release();
    throw error;
  }
}

function spawn(
  context: RuntimeContext,
  { runtime, bundle }: RunningContainer,
  exec: ExecProcess,
  prefix: string[],
  files: ExecFiles,
) {
  const argv = [
    ...prefix,
    ...commandOf(runtime, context.paths.state),
    "--log",
    files.log,
    "exec",
    "--process",
    files.process,
    "--pid-file",
    files.pid,
    exec.containerId,
  ];
  const env = runtimeEnvironment();
  const enter = context.launcher.enterBy(runtime);
  return startPiped((fds) => enter(() => spawnProcess({ argv, env, cwd: bundle, fds, session: true })));
}

/**
 * The runtime says the pid once the process is there; where it never is, it ends and says why. Nobody waits for the pid but
 * for the process's first words or its end, by which it is there.
 */
async function startedPid(
  child: SpawnedProcess,
  spoken: Promise<void>,
  exec: ExecProcess,
  files: ExecFiles,
): Promise<number> {
  let ended: number | undefined;
  const over = child.exited.then((code) => {
    ended = code;
  });
  let waitMs = 5;
  let word: Promise<void>[] = [
    spoken.then(() => {
      word = [];
      waitMs = 1;
    }),
  ];
  for (; ; waitMs = Math.min(waitMs * 1.2, 20)) {
    await Promise.race([over, ...word, pause(waitMs)]);
    const pid = files.writtenPid();
    if (pid > 0 && ended === undefined) return pid;
    if (ended === undefined) continue;
    const complaint = ended === 0 ? "" : files.complaint();
    const { args, cwd } = exec.process;
    if (complaint !== "") throw execFailure(complaint, { command: args[0] ?? "", cwd });
    if (pid > 0) return pid;
    throw new EngineError("internal", `exec ${exec.id}: the runtime ended with ${ended} and said nothing`);
  }
}

/** Two pipes, given to one client who may be slower than they are. */
class PipedStreams {
  readonly attachment: Attachment;
  /** resolves with the first output */
  readonly spoken: Promise<void>;
  private readonly speak: () => void;
  private readonly client: AttachClient;
  private readonly readers: readonly PipeReader[];
  /** what comes is read and dropped, for an unread pipe stops the process */
  private left = false;

  constructor(pipes: readonly [number, number], options: AttachOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.spoken = promise;
    this.speak = resolve;
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
    this.speak();
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
