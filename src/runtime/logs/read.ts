import type { LogOptions } from "../contract.ts";
import { ChangeWaiter } from "./change-waiter.ts";
import { isRotated, type LogFile, openLogs, openNext } from "./files.ts";
import { LogFormatter } from "./format.ts";
import { tailPosition } from "./tail.ts";

/** read and formatted in one go: under a millisecond of the main thread */
const chunkSize = 128 * 1024;

/** `logs`: see the contract. A stream that is pulled: nothing is read ahead of its reader. */
export function readLogs(
  logPath: string,
  options: LogOptions,
  ended: Promise<unknown>,
): ReadableStream<Uint8Array> {
  const abort = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, abort.signal]) : abort.signal;
  const pieces = readPieces(logPath, options, ended, signal);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        abort.abort();
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

async function* readPieces(
  logPath: string,
  options: LogOptions,
  ended: Promise<unknown>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const formatter = new LogFormatter(options);
  const files = await openLogs(logPath);
  try {
    const from =
      options.tail === undefined ? { file: 0, offset: 0 } : await tailPosition(files, options.tail);
    const first = files.length - 1;
    // also with `since` every file is read: the clock may have been set back, so the time of its last write tells nothing
    for (const [index, file] of files.entries()) {
      if (index < from.file || (options.follow && index === first)) continue;
      yield* readFile(file, index === from.file ? from.offset : 0, file.size, formatter, signal);
    }
    if (options.follow) {
      const live = files.pop();
      yield* followLog(logPath, live, from.file === first ? from.offset : 0, formatter, ended, signal);
    }
    const last = formatter.end();
    if (last.length > 0 && !signal.aborted) yield last;
  } finally {
    await Promise.all(files.map(({ handle }) => handle.close()));
  }
}

/** Formats `file` from `offset` to `end`, or to its present end; returns where it stopped. */
async function* readFile(
  file: LogFile,
  offset: number,
  end: number,
  formatter: LogFormatter,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, number, void> {
  const chunk = Buffer.allocUnsafeSlow(chunkSize);
  let at = offset;
  while (at < end && !formatter.done && !signal.aborted) {
    const { bytesRead } = await file.handle.read(chunk, 0, Math.min(chunkSize, end - at), at);
    if (bytesRead === 0) break;
    at += bytesRead;
    const piece = formatter.push(chunk.subarray(0, bytesRead));
    if (piece.length > 0) yield piece;
  }
  return at;
}

/** Goes on at the live end, through rotations, until the process has ended and all is told. */
async function* followLog(
  logPath: string,
  live: LogFile | undefined,
  offset: number,
  formatter: LogFormatter,
  ended: Promise<unknown>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const waiter = new ChangeWaiter(logPath, ended, signal);
  let file = live;
  let at = offset;
  try {
    while (!formatter.done && !signal.aborted) {
      const last = waiter.ended; // asked before reading: what was written before the end is then read
      file ??= await openNext(logPath, -1n);
      const rotated = file !== undefined && (await isRotated(logPath, file));
      if (file) at = yield* readFile(file, at, Number.POSITIVE_INFINITY, formatter, signal);
      if (file && rotated) {
        const next = await openNext(logPath, file.inode);
        if (next) {
          await file.handle.close();
          file = next;
          at = 0;
          continue;
        }
      }
      if (last) return;
      await waiter.wait();
    }
  } finally {
    waiter.close();
    await file?.handle.close();
  }
}
