import { isWritable, terminalSize, write } from "../client/kernel.ts";

/** Whether a person may sit at the other end. A descriptor that was closed before we started is none. */
export const isTerminal = (fd: 0 | 1 | 2): boolean => terminalSize(fd) !== undefined;

/** Nobody reads any more: end quietly with the code a shell gives for SIGPIPE. */
const brokenPipeExitCode = 141;

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code;

/** In the words of docker's client, but where there is only a wait; the launcher says the same (exchange.h). */
function rethrow(error: unknown, fd: 1 | 2): void {
  const code = codeOf(error);
  if (code === "EPIPE") process.exit(brokenPipeExitCode);
  if (code === "EAGAIN") return;
  const { errnoText } = require("../lib/text/errno-text.ts") as typeof import("../lib/text/errno-text.ts");
  const reason = errnoText(code ?? "") ?? code ?? String(error);
  throw new Error(`write /dev/${fd === 1 ? "stdout" : "stderr"}: ${reason}`, { cause: error });
}

/** Writes all of it before returning, so that nothing is lost when the process ends. */
export function writeNow(fd: 1 | 2, data: string | Uint8Array): void {
  let rest = typeof data === "string" ? new TextEncoder().encode(data) : data;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(write(fd, rest));
    } catch (error) {
      rethrow(error, fd);
      Bun.sleepSync(1); // a non-blocking pipe that is full: its reader needs a moment
    }
  }
}

/** What a pipe that is writable takes without making its writer wait (PIPE_BUF). */
const atOnceBytes = 4096;

/** Like `writeNow`, without holding up signals and input while a slow reader keeps the pipe full. */
export async function writeOut(fd: 1 | 2, data: Uint8Array): Promise<void> {
  let rest = data;
  while (rest.length > 0) {
    try {
      const atOnce = rest.length <= atOnceBytes && isWritable(fd);
      rest = rest.subarray(atOnce ? write(fd, rest) : await writeInBackground(fd, rest));
    } catch (error) {
      rethrow(error, fd);
      await Bun.sleep(1); // as above
    }
  }
}

/** Whether a descriptor is a file (or /dev/null): its writes wait for no reader. By descriptor, once asked. */
const files = new Map<number, boolean>();

const nullDevice = 0x103;

async function writeInBackground(fd: number, data: Uint8Array): Promise<number> {
  const { fstatSync, write: writeCallback } = await import("node:fs");
  if (!files.has(fd)) {
    const stats = fstatSync(fd);
    files.set(fd, stats.isFile() || (stats.isCharacterDevice() && stats.rdev === nullDevice));
  }
  if (files.get(fd)) return write(fd, data);
  return new Promise((resolve, reject) => {
    writeCallback(fd, data, (error, written) => (error ? reject(error) : resolve(written)));
  });
}

/** Rows and columns of the terminal on `fd`; `undefined` where there is none. */
export const windowSize = (fd: 1 | 2 = 1): { rows: number; columns: number } | undefined => terminalSize(fd);
