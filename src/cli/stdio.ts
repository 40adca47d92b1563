import { fstatSync, write as writeCallback, writeSync } from "node:fs";

/** Device number of /dev/null, which is no terminal either. */
const nullDevice = 0x103;

/** Loading node:tty takes 4 ms, half of what a command may cost: it is asked only about what may be a terminal. */
export function isTerminal(fd: 0 | 1 | 2): boolean {
  let stats: ReturnType<typeof fstatSync>;
  try {
    stats = fstatSync(fd);
  } catch (error) {
    if (codeOf(error) === "EBADF") return false; // closed by whoever started us
    throw error;
  }
  if (!stats.isCharacterDevice() || stats.rdev === nullDevice) return false;
  return (require("node:tty") as typeof import("node:tty")).isatty(fd);
}

/** Nobody reads any more: end quietly with the code a shell gives for SIGPIPE. */
const brokenPipeExitCode = 141;

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code;

function rethrow(error: unknown): void {
  if (codeOf(error) === "EPIPE") process.exit(brokenPipeExitCode);
  if (codeOf(error) !== "EAGAIN") throw error;
}

/** Writes all of it before returning, so that nothing is lost when the process ends. */
export function writeNow(fd: 1 | 2, data: string | Uint8Array): void {
  let rest = typeof data === "string" ? Buffer.from(data) : data;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      rethrow(error);
      Bun.sleepSync(1); // a non-blocking pipe that is full: its reader needs a moment
    }
  }
}

/** Like `writeNow`, without holding up signals and input while a slow reader keeps the pipe full. */
export async function writeOut(fd: 1 | 2, data: Uint8Array): Promise<void> {
  let rest = data;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(await writeOnce(fd, rest));
    } catch (error) {
      rethrow(error);
      await Bun.sleep(1); // as above
    }
  }
}

const writeOnce = (fd: number, data: Uint8Array): Promise<number> =>
  new Promise((resolve, reject) => {
    writeCallback(fd, data, (error, written) => (error ? reject(error) : resolve(written)));
  });

/** Rows and columns of the terminal on `fd`; `undefined` where there is none. */
export function windowSize(fd: 1 | 2 = 1): { rows: number; columns: number } | undefined {
  if (!isTerminal(fd)) return undefined;
  const stream = fd === 1 ? process.stdout : process.stderr;
  const [columns, rows] = stream.getWindowSize();
  return { rows, columns };
}
