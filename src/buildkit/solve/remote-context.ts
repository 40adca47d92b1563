import type { UnpackedContext } from "../../build/contract.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { realBeneath } from "../../system/beneath.ts";
import type { Session } from "../session/session.ts";
import { openUpload } from "../session/upload.ts";
import type { Parts } from "./parts.ts";

/** A Dockerfile alone, at a URL. */
const dockerfileLimit = 16 * 1024 * 1024;
const headSize = 262;

/** A context that is not the client's folder: unpacked, or nothing but a Dockerfile's text. */
export type RemoteContext = { unpacked: UnpackedContext; root: string } | { dockerfile: string };

export interface RemoteRequest {
  url: string;
  /** a folder within it that is the context; "" = the whole */
  folder: string;
  session: Session;
  signal: AbortSignal;
}

/** Fetches what a context's URL names: an archive on the client's standard input, an archive or a Dockerfile by HTTP. */
export async function openRemote(parts: Parts, request: RemoteRequest): Promise<RemoteContext> {
  const { url, signal, session, folder } = request;
  const { head, rest } = await peek(openUpload(session, url, signal) ?? (await download(url, signal)));
  if (!isArchive(head)) return { dockerfile: await wholeText(rest) };
  const unpacked = await parts.builds.unpack(rest, signal);
  try {
    return { unpacked, root: folder === "" ? unpacked.root : realBeneath(unpacked.root, folder) };
  } catch (error) {
    await unpacked.close();
    throw error;
  }
}

async function download(url: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  if (!/^https?:\/\//.test(url) || /\.git(#|$)/.test(url))
    throw new EngineError("notImplemented", `a build context at ${url} is not supported by berth yet`);
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new EngineError("unavailable", `failed to load ${url}: ${messageOf(error)}`, { cause: error });
  }
  if (!response.ok || !response.body)
    throw new EngineError("unavailable", `failed to load ${url}: invalid response status ${response.status}`);
  return response.body as unknown as AsyncIterable<Uint8Array>;
}

/** The first bytes, and all of them again. */
async function peek(
  source: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; rest: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < headSize) {
    const { value, done } = await iterator.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  async function* rest(): AsyncGenerator<Uint8Array> {
    yield head;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { head, rest: rest() };
}

const magics = [
  [0x1f, 0x8b],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  [0x28, 0xb5, 0x2f, 0xfd],
];

/** gzip, bzip2, xz, zstd, or a tar as it is */
function isArchive(head: Uint8Array): boolean {
  if (magics.some((magic) => magic.every((byte, at) => head[at] === byte))) return true;
  return new TextDecoder().decode(head.subarray(257, 262)) === "ustar";
}

async function wholeText(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of source) {
    size += part.length;
    if (size > dockerfileLimit)
      throw new EngineError("tooLarge", `the Dockerfile is over ${dockerfileLimit} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
