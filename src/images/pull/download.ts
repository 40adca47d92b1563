import type { PartialBlob } from "../../content/contract.ts";
import type { BlobPart, BlobSource } from "../../distribution/contract.ts";
import { RegistryError, TransportError } from "../../distribution/errors.ts";
import { EngineError } from "../../lib/errors.ts";
import { release } from "../../lib/release.ts";
import type { Descriptor } from "../../types/oci.ts";

interface Download {
  blob: Descriptor;
  /** where it can be had, best first */
  sources: readonly BlobSource[];
  partial: PartialBlob;
  signal: AbortSignal;
  attemptsMax: number;
  progress(bytes: number): void;
  /** it broke off, and is tried again in so many seconds */
  retrying(seconds: number): void;
}

/** What was received is not what was asked for. */
export class WrongContent extends EngineError {
  constructor(sentence: string) {
    super("invalid", sentence);
  }
}

/**
 * A blob's bytes: what was kept of an earlier download, then the rest from the registry, each kept as it comes. A
 * connection that breaks is made again where it stopped. It ends with an error unless all of them have the digest. What
 * it yields is good until the next is asked for.
 */
export async function* download(request: Download): AsyncGenerator<Uint8Array> {
  const { blob, partial } = request;
  const hash = new Bun.CryptoHasher("sha256");
  for await (const bytes of partial.read()) {
    hash.update(bytes);
    yield bytes;
  }
  request.progress(partial.size);
  for await (const bytes of theRest(request)) {
    hash.update(bytes);
    await partial.append(bytes);
    request.progress(partial.size);
    yield bytes;
    release(bytes);
  }
  if (`sha256:${hash.digest("hex")}` !== blob.digest)
    throw new WrongContent(`filesystem layer verification failed for digest ${blob.digest}`);
}

async function* theRest(request: Download): AsyncGenerator<Uint8Array> {
  const { blob, partial } = request;
  let failures = 0;
  while (partial.size < blob.size) {
    const before = partial.size;
    try {
      yield* withinSize(await openFirst(request, partial.size), blob, partial.size);
      if (partial.size < blob.size)
        throw new TransportError(`blob ${blob.digest} ended after ${partial.size} of ${blob.size} bytes`);
    } catch (error) {
      if (!isPassing(error)) throw error;
      // what got on counts as a new beginning: a bad line may break often
      failures = partial.size >= before + progressMin ? 1 : failures + 1;
      if (failures >= request.attemptsMax) throw error;
      await pause(request, failures, error);
    }
  }
}

/** less than that is no progress: a connection for every few bytes would never end */
const progressMin = 64 * 1024;

/** From the first source that has it. */
async function openFirst(
  { sources, blob, signal }: Pick<Download, "sources" | "blob" | "signal">,
  offset: number,
): Promise<BlobPart> {
  let failure: unknown;
  for (const source of sources) {
    try {
      return await source.blob(blob.digest, offset, signal);
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

/** The bytes from `offset` on, also of a source that begins earlier; never more than the blob has. */
async function* withinSize(part: BlobPart, blob: Descriptor, offset: number): AsyncGenerator<Uint8Array> {
  let at = part.start;
  for await (const bytes of part.bytes) {
    const end = at + bytes.length;
    if (end > blob.size)
      throw new WrongContent(`blob ${blob.digest} has over ${blob.size} bytes, which its manifest says`);
    if (end > offset) yield at >= offset ? bytes : bytes.subarray(offset - at);
    at = end;
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof TransportError ||
  (error instanceof RegistryError && (error.status >= 500 || error.status === 429 || error.status === 408));

const pauseMaxSeconds = 20;

/** Goes on at once the first time, then waits longer each time, or as long as the registry says. */
async function pause({ signal, retrying }: Download, failures: number, error: unknown): Promise<void> {
  const asked = error instanceof RegistryError ? (error.retryAfterMs ?? 0) / 1000 : 0;
  const seconds = Math.min(pauseMaxSeconds, Math.max(Math.ceil(asked), (failures - 1) * 5));
  for (let left = seconds; left > 0; left--) {
    retrying(left);
    await sleep(1000, signal);
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** A small blob whole (a configuration): `tooLarge` past `limit`, `invalid` where it is another. */
export async function readSmallBlob(
  sources: readonly BlobSource[],
  blob: Descriptor,
  { limit, signal }: { limit: number; signal: AbortSignal },
): Promise<Uint8Array> {
  if (blob.size > limit)
    throw new EngineError(
      "tooLarge",
      `blob ${blob.digest} has ${blob.size} bytes, over the limit of ${limit}`,
    );
  const parts: Uint8Array[] = [];
  for await (const bytes of withinSize(await openFirst({ sources, blob, signal }, 0), blob, 0))
    parts.push(bytes);
  const all = Buffer.concat(parts);
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(all).digest("hex")}`;
  if (digest !== blob.digest)
    throw new WrongContent(`image config verification failed for digest ${blob.digest}`);
  return all;
}
