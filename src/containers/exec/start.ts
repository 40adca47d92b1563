import { EngineError, messageOf } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import type { Attachment } from "../../runtime/contract.ts";
import { StartFailure } from "../../runtime/oci-runtime/failure.ts";
import { detachFilter } from "../attach/attach.ts";
import { endingWith } from "../attach/future.ts";
import type { Container } from "../container.ts";
import { type Context, tell } from "../context.ts";
import type { Session } from "../contract.ts";
import { remapOf } from "../remap.ts";
import { failureOf } from "../start/failure.ts";
import { execProcess } from "../start/spec.ts";
import { commandLine, mayVisit, refuseStopped } from "./create.ts";
import type { Exec } from "./exec.ts";
import { execInStopped } from "./stopped.ts";

interface ExecStartOptions {
  detach: boolean;
  tty: boolean;
  consoleSize?: [number, number] | null;
}

/**
 * `POST /exec/{id}/start`. An attached client has its session while the process is still being started, as with Docker: what
 * fails from there on is told in the session. Clients depend on it that read head and output apart (docker-py loses what
 * comes in one piece with the head).
 */
export async function startExec(
  ctx: Context,
  exec: Exec,
  options: ExecStartOptions,
): Promise<Session | undefined> {
  const container = containerOf(ctx, exec);
  const visits = mayVisit(container, exec.request.stopped);
  if (!visits) refuseStopped(container, container.name);
  const again = startedBefore(exec);
  if (again !== undefined) {
    // a client that has its session by now, as with Docker, reads it there
    if (!options.detach) return failedSession(exec, again);
    throw new EngineError("conflict", again);
  }
  exec.status = "running";
  ctx.runtime.expectProcess();
  tell(ctx, container, `exec_start: ${commandLine(exec)}`, { execID: exec.id });
  const starting = launch(ctx, container, exec, { ...options, visits });
  exec.starting = starting.catch(() => undefined);
  return options.detach ? starting : future(exec, starting);
}

async function launch(
  ctx: Context,
  container: Container,
  exec: Exec,
  options: ExecStartOptions & { visits: boolean },
): Promise<Session | undefined> {
  const attached = !options.detach;
  try {
    const size = options.consoleSize ?? exec.request.consoleSize;
    const attach = attached
      ? { stdout: exec.request.AttachStdout, stderr: exec.request.AttachStderr }
      : undefined;
    const { pid, attachment, exit } = options.visits
      ? await execInStopped(ctx, container, exec, { attach, size })
      : await ctx.runtime.exec(
          {
            id: exec.id,
            containerId: container.id,
            process: execProcess(ctx, container, exec, size),
            remapped: remapOf(ctx, container) !== undefined,
            stdin: attached && exec.request.AttachStdin,
          },
          attach,
        );
    exec.pid = pid;
    const over = exit.then((code) => ended(ctx, container, exec, code));
    // no engine that stops waits for it: an exec may run for days
    over.catch((why: unknown) => ctx.logger.warn(`exec ${exec.id} failed`, { error: messageOf(why) }));
    return attachment && session(ctx, container, exec, lasting(attachment, over));
  } catch (error) {
    const failure = failureOf(error);
    exec.status = "ended";
    exec.exitCode = error instanceof StartFailure ? failure.exitCode : otherExitCode;
    if (!attached) throw failure.error;
    return failedSession(exec, failure.error.message);
  }
}

/** The session of a process that is being started; what the client does meanwhile waits for it. */
function future(exec: Exec, starting: Promise<Session | undefined>): Session {
  let chunks: AsyncIterator<Uint8Array> | undefined;
  const close = (): void => void starting.then((session) => session?.close());
  return {
    terminal: exec.request.Tty,
    output: new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          chunks ??= (await starting)?.output[Symbol.asyncIterator]();
          const next = await chunks?.next();
          if (!next || next.done) controller.close();
          else controller.enqueue(next.value);
        },
        cancel: close,
      },
      { highWaterMark: 0 },
    ),
    write: async (bytes) => (await starting)?.write(bytes),
    closeStdin: async () => (await starting)?.closeStdin(),
    close,
    exitCode: () => exec.exitCode,
  };
}

function containerOf(ctx: Context, exec: Exec): Container {
  const container = ctx.store.get(exec.containerId);
  if (!container) throw noSuchExec(exec.id);
  return container;
}

export const noSuchExec = (id: string): EngineError =>
  new EngineError("notFound", `No such exec instance: ${id}`);

function startedBefore(exec: Exec): string | undefined {
  if (exec.status === "ended") return `exec command ${exec.id} has already run`;
  return exec.status === "running" ? `exec command ${exec.id} is already running` : undefined;
}

function ended(ctx: Context, container: Container, exec: Exec, exitCode: number): void {
  if (ctx.closing) return;
  exec.status = "ended";
  exec.exitCode = exitCode;
  tell(ctx, container, "exec_die", { execID: exec.id, exitCode: String(exitCode) });
}

/** Docker's code for an exec that failed before its process was tried. */
const otherExitCode = 126;

/** The attachment, its output ending only when the exit is recorded, or when the client lets go. */
function lasting(attachment: Attachment, over: Promise<void>): Attachment {
  const released = Promise.withResolvers<void>();
  return {
    output: endingWith(attachment.output, Promise.race([over, released.promise])),
    write: (bytes) => attachment.write(bytes),
    closeStdin: () => attachment.closeStdin(),
    close: () => {
      released.resolve();
      attachment.close();
    },
  };
}

function session(ctx: Context, container: Container, exec: Exec, attachment: Attachment): Session {
  const { Tty, AttachStdin } = exec.request;
  const filter = detachFilter(exec.request.detachKeys);
  return {
    terminal: Tty,
    output: attachment.output,
    async write(bytes) {
      if (!AttachStdin) return;
      const { pass, detached } = Tty ? filter.push(bytes) : { pass: bytes, detached: false };
      if (pass.length > 0) await attachment.write(pass);
      if (!detached) return;
      tell(ctx, container, "exec_detach", { execID: exec.id });
      attachment.close();
    },
    closeStdin: () => (AttachStdin ? attachment.closeStdin() : Promise.resolve()),
    close: () => {
      // the client is gone: its command must not wait for input that cannot come any more
      if (AttachStdin && !Tty)
        void attachment
          .closeStdin()
          .catch((error: unknown) => ctx.logger.debug("exec stdin", { error: messageOf(error) }))
          .finally(() => attachment.close());
      else attachment.close();
    },
  };
}

/** Docker tells an attached client of a command that cannot start in the stream itself. */
function failedSession(exec: Exec, message: string): Session {
  const payload = Buffer.from(`${message}\r\n`);
  const header = Buffer.alloc(8);
  header[0] = 1;
  header.writeUInt32BE(payload.length, 4);
  const bytes = exec.request.Tty ? payload : Buffer.concat([header, payload]);
  return {
    terminal: exec.request.Tty,
    output: new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    }),
    write: () => Promise.resolve(),
    closeStdin: () => Promise.resolve(),
    close: () => undefined,
  };
}

/** Runs a command of the engine's own (a health probe) and collects the first bytes it writes. */
export async function runOnce(
  ctx: Context,
  container: Container,
  command: readonly [string, ...string[]],
  limits: { outputMax: number; signal: AbortSignal },
): Promise<{ exitCode: number; output: string }> {
  const exec: Exec = {
    id: newId(),
    containerId: container.id,
    request: {
      AttachStdin: false,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      Privileged: false,
      user: "",
      workingDir: "",
      env: [],
      command,
      detachKeys: "",
      consoleSize: undefined,
      stopped: false,
    },
    status: "created",
    exitCode: null,
    pid: 0,
  };
  tell(ctx, container, `exec_create: ${commandLine(exec)}`, { execID: exec.id });
  tell(ctx, container, `exec_start: ${commandLine(exec)}`, { execID: exec.id });
  const { attachment, exit, pid } = await ctx.runtime.exec(
    {
      id: exec.id,
      containerId: container.id,
      process: execProcess(ctx, container, exec, undefined),
      remapped: remapOf(ctx, container) !== undefined,
      stdin: false,
    },
    { stdout: true, stderr: true },
  );
  const kill = (): void => {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      ctx.logger.debug("probe was gone", { error: messageOf(error) });
    }
  };
  limits.signal.addEventListener("abort", kill, { once: true });
  const output = attachment ? await collect(attachment.output, limits.outputMax) : "";
  const exitCode = await exit;
  limits.signal.removeEventListener("abort", kill);
  tell(ctx, container, "exec_die", { execID: exec.id, exitCode: String(exitCode) });
  return { exitCode, output };
}

/** The payloads of Docker's frames, up to a limit; the rest is read and dropped. */
async function collect(stream: ReadableStream<Uint8Array>, outputMax: number): Promise<string> {
  let kept = Buffer.alloc(0);
  for await (const chunk of stream) if (kept.length < outputMax * 2) kept = Buffer.concat([kept, chunk]);
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= kept.length; ) {
    const length = kept.readUInt32BE(at + 4);
    parts.push(kept.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts).subarray(0, outputMax).toString("utf8");
}
