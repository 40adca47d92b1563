import type { HijackedStream } from "../../client/client.ts";
import { Demultiplexer } from "../../client/multiplex.ts";
import { DetachFilter, defaultDetachKeys, parseDetachKeys } from "../../lib/container/detach-keys.ts";
import { CliError } from "../errors.ts";
import { writeOut } from "../stdio.ts";
import { openInput, rawMode } from "./input.ts";

interface AttachedOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
  detachKeys: string;
  /** told at the end of the output what the stream says of it: see client `Demultiplexer` */
  onExit?: (exitCode: number | undefined) => void;
}

/** How a stream ended: the process closed it, or the user typed the detach keys. */
export type Ending = "closed" | "detached";

/** Who joined what ran already is told that it left, and that it saw no end of it: exit code 1. */
export const leftRunning = (): CliError => new CliError("read escape sequence", 1);

/**
 * Joins this process's stdin, stdout and stderr to a hijacked stream, until its output ends. Everything received has
 * been written when the promise resolves.
 */
export async function pump(stream: HijackedStream, options: AttachedOptions): Promise<Ending> {
  const restore = options.stdin && options.tty ? rawMode() : undefined;
  try {
    const output = copyOutput(stream, options).then((): Ending => "closed");
    if (!options.stdin) {
      // Nothing will be sent: the process reads an end at once.
      if (!options.tty) stream.connection.closeWrite();
      return await output;
    }
    const input = copyInput(stream, options);
    return await Promise.race([output, input.detached]);
  } finally {
    restore?.();
    stream.connection.close();
  }
}

/** All that comes, to the end. */
export async function copyOutput(
  { connection, contentType }: HijackedStream,
  options: AttachedOptions,
): Promise<void> {
  const raw = options.tty || contentType === "application/vnd.docker.raw-stream-without-frames";
  const frames = new Demultiplexer();
  for (let chunk = await connection.read(); chunk; chunk = await connection.read()) {
    if (raw) {
      if (options.stdout) await writeOut(1, chunk);
      continue;
    }
    for (const { stream, bytes } of frames.push(chunk)) {
      if (stream === "stdout" && options.stdout) await writeOut(1, bytes);
      if (stream === "stderr" && options.stderr) await writeOut(2, bytes);
    }
  }
  options.onExit?.(frames.exitCode);
}

/** Copies stdin until it ends; then the process reads an end too. */
function copyInput({ connection }: HijackedStream, options: AttachedOptions): { detached: Promise<Ending> } {
  const filter = options.tty ? new DetachFilter(detachBytes(options.detachKeys)) : undefined;
  let detach: (ending: Ending) => void = () => undefined;
  const detached = new Promise<Ending>((resolve) => {
    detach = resolve;
  });
  const copy = async (): Promise<void> => {
    for await (const chunk of openInput()) {
      const { pass, detached } = filter ? filter.push(chunk) : { pass: chunk, detached: false };
      if (pass.length > 0) await connection.write(pass);
      if (detached) return detach("detached");
    }
    connection.closeWrite();
  };
  // A process that ended does not read its input any more: that is no error of ours.
  copy().catch(() => undefined);
  return { detached };
}

function detachBytes(keys: string): Uint8Array {
  try {
    return parseDetachKeys(keys || defaultDetachKeys);
  } catch (error) {
    throw new CliError((error as Error).message);
  }
}
