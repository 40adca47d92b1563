import type { BlobSource } from "../../distribution/contract.ts";
import { compressionMagicMax, detectCompression } from "../../lib/compression/compression.ts";
import { EngineError, isKind, messageOf } from "../../lib/errors.ts";
import type { Reference } from "../../lib/image/reference.ts";
import type { Descriptor } from "../../types/oci.ts";
import { type ImagesContext, layerLimits } from "../deps.ts";
import { layerTypeOf } from "../remote/media-types.ts";
import type { Listener } from "../transfer/shared.ts";
import { download, WrongContent } from "./download.ts";
import type { Brought, LayerNews } from "./layer-work.ts";

interface LayerJob {
  /** of the registry's repository that has it; undefined = it comes from elsewhere */
  reference: Reference | undefined;
  diffId: string;
  blob: Descriptor;
  sources: readonly BlobSource[];
}

/** Whom a layer comes from: those who do not have the same say nothing of each other. */
export const registryOf = ({ reference, sources }: Pick<LayerJob, "reference" | "sources">): string =>
  reference?.domain ?? sources[0]?.endpoint ?? "";

/** Blobs up to this size lose their kept beginning as soon as they are whole: see `letGo`. */
const keptUntilUnpackedBytes = 256 * 1024 * 1024;

/** Brings one layer: downloads and unpacks at the same time. Callers share it: see `layer-work.ts`. */
export async function bringLayer(
  context: ImagesContext,
  job: LayerJob,
  signal: AbortSignal,
  tell: Listener<LayerNews>,
): Promise<Brought> {
  if (context.snapshots.layer(job.diffId) !== undefined) return { blob: undefined };
  const downloads = context.downloads.of(registryOf(job));
  if (downloads.busy) tell({ kind: "status", status: "Waiting" });
  const release = await downloads.acquire(signal);
  try {
    // it may have come from elsewhere while this one waited for its turn
    if (context.snapshots.layer(job.diffId) !== undefined) return { blob: undefined };
    return await unpackOrAgain(context, job, { signal, tell, release });
  } finally {
    release();
  }
}

interface Way {
  signal: AbortSignal;
  tell: Listener<LayerNews>;
  /** gives the place among the downloads back */
  release: () => void;
}

/** Where a kept beginning turns out to be wrong, all of it is fetched again, once. */
async function unpackOrAgain(context: ImagesContext, job: LayerJob, way: Way): Promise<Brought> {
  try {
    return await unpack(context, job, way);
  } catch (error) {
    if (!(error instanceof ResumedWrong)) throw error;
  }
  return await unpack(context, job, way);
}

/** Wrong content, after a beginning of an earlier download. */
class ResumedWrong extends Error {}

async function unpack(context: ImagesContext, job: LayerJob, way: Way): Promise<Brought> {
  const { blob, diffId } = job;
  let partial = await context.content.partial(blob.digest);
  if (partial.size > blob.size) {
    await partial.discard();
    partial = await context.content.partial(blob.digest);
  }
  const resumed = partial.size > 0;
  let wrong: unknown;
  let start = Buffer.alloc(0);
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      const pieces = download({
        blob,
        sources: job.sources,
        partial,
        signal: way.signal,
        attemptsMax: context.limits.downloadAttempts,
        progress: (current) => way.tell({ kind: "progress", status: "Downloading", current }),
        retrying: (seconds) => way.tell({ kind: "retrying", seconds }),
      });
      for await (const bytes of pieces) {
        if (start.length < compressionMagicMax)
          start = Buffer.concat([start, bytes.subarray(0, compressionMagicMax - start.length)]);
        yield bytes;
      }
    } catch (error) {
      wrong = error;
      throw error;
    }
    way.tell({ kind: "status", status: "Verifying Checksum" });
    way.tell({ kind: "status", status: "Download complete" });
    way.release();
    if (blob.size <= keptUntilUnpackedBytes) await partial.discard();
    way.tell({ kind: "progress", status: "Extracting", current: blob.size });
  }
  if (context.snapshots.layer(diffId) !== undefined) {
    // `apply` would read the blob to its end without a look at what is in it
    await partial.discard();
    return { blob: undefined };
  }
  try {
    await context.snapshots.apply(source(), {
      diffId,
      signal: way.signal,
      ...layerLimits(context),
    });
    await partial.discard();
    return { blob: { ...blob, mediaType: layerTypeOf(blob.mediaType, detectCompression(start)) } };
  } catch (error) {
    const cause = wrong ?? error;
    const isWrong = cause instanceof WrongContent || (isKind(cause, "invalid") && !way.signal.aborted);
    // of no use to anybody once another registry has brought the layer
    if (isWrong || context.snapshots.layer(diffId) !== undefined) await partial.discard();
    else await partial.close();
    if (isWrong && resumed) throw new ResumedWrong(messageOf(cause), { cause });
    throw layerFailure(job, cause);
  }
}

function layerFailure({ blob }: LayerJob, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  if (error instanceof WrongContent) return error;
  if (error.message.startsWith("invalid diffID: "))
    return new EngineError("invalid", "layers from manifest don't match image configuration", {
      cause: error,
    });
  if (isKind(error, "invalid") || isKind(error, "tooLarge"))
    return new EngineError(error.kind, `failed to register layer ${blob.digest}: ${error.message}`, {
      cause: error,
    });
  return error;
}
