import { statfs } from "node:fs/promises";
import { transportError } from "../../distribution/http/failure.ts";
import { EngineError } from "../../lib/errors.ts";
import { withoutPassword } from "../../lib/net/url-password.ts";

interface WebLimits {
  /** until the answer begins, and between two pieces of it, ms */
  silenceMs: number;
  bytesMax: number;
  /** how many bytes more the disk takes; asked again and again, for others fill it meanwhile */
  room?: () => Promise<number>;
}

const silenceMs = 60_000;
/** More than this is no file for an image. */
const largest = 64 * 2 ** 30;
/** What a download leaves free on its disk. */
const reserve = 2 ** 30;
/** So many bytes may come until the disk is asked again. */
const askedEvery = 64 * 2 ** 20;

/** What a download into a folder may be: never so much that the disk is full. */
export async function webLimits(folder: string): Promise<WebLimits> {
  const room = (): Promise<number> => roomIn(folder);
  return { silenceMs, bytesMax: Math.min(largest, await room()), room };
}

/** The same for a file that is held in memory, such as a Dockerfile. */
export const heldLimits: WebLimits = { silenceMs, bytesMax: 16 << 20 };

/** How many bytes may be written in a folder before its disk comes to the reserve. */
export async function roomIn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.max(0, bavail * bsize - reserve);
}

/** A server that cannot be reached, or refuses. */
export class WebFailure extends EngineError {}

interface WebFile {
  headers: Headers;
  body: AsyncIterable<Uint8Array>;
}

/**
 * A file of a web server, within limits of size and silence. Throws `unavailable` where it cannot be had, `invalid` for an
 * answer that is none, `tooLarge`; the body throws the same.
 */
export async function openWeb(url: string, limits: WebLimits, signal: AbortSignal): Promise<WebFile> {
  const own = new AbortController();
  const silent = (): EngineError =>
    new EngineError(
      "unavailable",
      `${withoutPassword(url)} sent nothing for ${limits.silenceMs / 1000} seconds`,
    );
  const timer = setTimeout(() => own.abort(silent()), limits.silenceMs);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, own.signal]) });
    if (!response.ok) throw new WebFailure("invalid", `invalid response status ${response.status}`);
    const { headers, body } = response;
    if (Number(headers.get("content-length") ?? 0) > limits.bytesMax) throw tooLarge(url, limits);
    const pieces = body === null ? [] : within(body, url, limits, silent);
    return { headers, body: piecesOf(pieces) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof EngineError) throw error;
    own.signal.throwIfAborted();
    throw new WebFailure("unavailable", transportError("GET", new URL(url), error).message, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

async function* piecesOf(
  pieces: AsyncIterable<Uint8Array> | readonly Uint8Array[],
): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

const tooLarge = (url: string, { bytesMax }: Pick<WebLimits, "bytesMax">): EngineError =>
  new EngineError(
    "tooLarge",
    `${withoutPassword(url)} is larger than the ${bytesMax} bytes that there is room for`,
  );

/** Time counts only while a piece is waited for: a slow reader is not the server's silence. */
export async function* within(
  body: ReadableStream<Uint8Array>,
  url: string,
  limits: WebLimits,
  silent: () => EngineError,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  let total = 0;
  let asked = 0;
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await soon(reader.read(), limits.silenceMs, silent);
      isOver = done;
      if (done) return;
      total += value.length;
      if (total > limits.bytesMax) throw tooLarge(url, limits);
      if (limits.room !== undefined && total - asked >= askedEvery) {
        asked = total;
        if ((await limits.room()) === 0) throw tooLarge(url, { bytesMax: total });
      }
      yield value;
    }
  } finally {
    // not waited for: a server that is silent does not answer that either
    if (!isOver) reader.cancel().catch(() => undefined);
  }
}

async function soon<T>(work: Promise<T>, ms: number, late: () => EngineError): Promise<T> {
  let timer: Timer | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  work.catch(() => undefined); // it may end after we gave up
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
