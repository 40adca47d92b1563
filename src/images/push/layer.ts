import type { Repository } from "../../distribution/contract.ts";
import { RegistryError } from "../../distribution/errors.ts";
import {
  compressionName,
  gzipDefault,
  type LayerCompression,
} from "../../lib/compression/layer-compression.ts";
import { canonical, type Reference, repositoryOf } from "../../lib/image/reference.ts";
import type { PackedPart } from "../../system/compression/compress.ts";
import type { Descriptor } from "../../types/oci.ts";
import type { AskedForm } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { dockerLayerType } from "../remote/media-types.ts";
import type { KnownBlob } from "../remote/records.ts";
import type { Listener } from "../transfer/shared.ts";
import type { PushNews } from "./news.ts";

interface PushLayerJob {
  /** of the registry's repository it goes to; undefined = it goes elsewhere */
  reference: Reference | undefined;
  diffId: string;
  target: Repository;
  /** the blob it should have there, so that the image keeps its manifest */
  preferred: string | undefined;
  /** how it is to be packed; undefined = as it is known, else the engine's way */
  form?: AskedForm | undefined;
}

/** Of a push that asks for none. */
const ownForm: AskedForm = { compression: gzipDefault, exact: false };
/** Blobs that are asked after before the layer is compressed. */
const asksMax = 3;

/**
 * Brings a layer to a repository: it has it already, takes it over from another repository of its registry, or gets it.
 * Answers the form it has there. A layer is compressed on its way, to the same bytes each time.
 */
export async function pushLayer(
  context: ImagesContext,
  job: PushLayerJob,
  signal: AbortSignal,
  tell: Listener<PushNews>,
): Promise<Descriptor> {
  const uploads = context.uploads.of(job.reference?.domain ?? job.target.endpoint);
  if (uploads.busy) tell({ kind: "status", status: "Waiting" });
  const release = await uploads.acquire(signal);
  try {
    const repository = job.reference && repositoryOf(job.reference);
    const there = await findThere(context, job, tell);
    if (there !== undefined) {
      context.remote.addBlob(job.diffId, there, repository);
      return there;
    }
    const how = job.form?.compression ?? gzipDefault;
    const sent = await upload(context, { ...job, how }, signal, tell);
    context.remote.addBlob(job.diffId, sent, repository, compressionName(how));
    return sent;
  } finally {
    release();
  }
}

/** Without sending it: the blobs that this layer is known as are asked after, the likeliest first. */
async function findThere(
  context: ImagesContext,
  { reference, diffId, target, preferred, form }: PushLayerJob,
  tell: Listener<PushNews>,
): Promise<Descriptor | undefined> {
  const own = reference === undefined ? "" : repositoryOf(reference);
  const known = context.remote
    .blobs(diffId)
    .filter((blob) => serves(blob, form) || (form === undefined && blob.descriptor.digest === preferred));
  const likelihood = ({ descriptor, repositories }: KnownBlob): number =>
    (descriptor.digest === preferred ? 2 : 0) + (repositories.includes(own) ? 1 : 0);
  const likeliest = known.toSorted((a, b) => likelihood(b) - likelihood(a));
  for (const blob of likeliest.slice(0, asksMax)) {
    const { descriptor, repositories } = blob;
    if (
      !repositories.includes(own) &&
      (await mount(context, { reference, diffId, target, preferred }, blob, tell))
    )
      return descriptor;
    if ((await target.blobSize(descriptor.digest)) === descriptor.size) {
      tell({ kind: "status", status: "Layer already exists" });
      return descriptor;
    }
    if (repositories.includes(own)) context.remote.forgetSource(diffId, descriptor.digest, own);
  }
  return undefined;
}

/** Forms that it was given here at other times do not count: what comes of a push is not to hang on those before. */
const serves = ({ madeAs }: KnownBlob, { compression, exact } = ownForm): boolean =>
  madeAs === compressionName(compression) || (madeAs === "" && !exact);

async function mount(
  context: ImagesContext,
  { reference, diffId, target }: PushLayerJob,
  { descriptor, repositories }: KnownBlob,
  tell: Listener<PushNews>,
): Promise<boolean> {
  if (reference === undefined) return false;
  const registry = `${reference.domain}/`;
  const froms = repositories.filter((each) => each.startsWith(registry)).slice(0, asksMax);
  for (const from of froms) {
    const path = from.slice(registry.length);
    if (await mounted(target, descriptor.digest, path)) {
      tell({ kind: "status", status: `Mounted from ${path}` });
      return true;
    }
    context.remote.forgetSource(diffId, descriptor.digest, from);
  }
  return false;
}

/** A registry that refuses (the other repository may be another's) is not asked for more than it gives. */
export async function mounted(target: Repository, digest: string, from: string): Promise<boolean> {
  try {
    return await target.mount(digest, from);
  } catch (error) {
    if (error instanceof RegistryError && error.status < 500) return false;
    throw error;
  }
}

async function upload(
  { snapshots }: ImagesContext,
  { diffId, target, how }: PushLayerJob & { how: LayerCompression },
  signal: AbortSignal,
  tell: Listener<PushNews>,
): Promise<Descriptor> {
  const total = snapshots.layer(diffId)?.size ?? 0;
  const progress = (current: number): void =>
    tell({ kind: "progress", current, total: Math.max(current, total) });
  let made: Whole = { digest: "", size: 0 };
  const done = (whole: Whole): void => {
    made = whole;
  };
  // packing begins while the registry opens the upload
  let begun: Begun | undefined = begin(snapshots.layerBlob(diffId, how));
  const parts = (): AsyncGenerator<PackedPart, void> => {
    const packing = begun?.parts() ?? snapshots.layerBlob(diffId, how);
    begun = undefined;
    return packing;
  };
  try {
    const source = (offset: number): AsyncGenerator<Uint8Array> => packed({ parts, offset, progress, done });
    await target.upload({ digest: () => made.digest, source, signal });
  } finally {
    await begun?.end();
  }
  tell({ kind: "status", status: "Pushed" });
  return { mediaType: dockerLayerType(how), ...made };
}

interface Begun {
  parts(): AsyncGenerator<PackedPart, void>;
  /** where nobody has asked for the parts */
  end(): Promise<unknown>;
}

function begin(packing: AsyncGenerator<PackedPart, void>): Begun {
  const first = packing.next();
  first.catch(() => undefined); // told with the parts
  return {
    async *parts() {
      try {
        const { value, done } = await first;
        if (done) return;
        yield value;
        yield* packing;
      } finally {
        await packing.return();
      }
    },
    end: () => packing.return(),
  };
}

type Whole = NonNullable<PackedPart["whole"]>;

interface Packing {
  /** called once the registry takes bytes: what was begun before is ended where it never does */
  parts(): AsyncIterable<PackedPart>;
  /** compressed bytes that the registry has */
  offset: number;
  progress(bytes: number): void;
  done(whole: Whole): void;
}

/** The compressed bytes from an offset on, each piece good until the next is asked for. */
async function* packed({ parts, offset, progress, done }: Packing): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const { bytes, taken, whole } of parts()) {
    const before = size;
    size += bytes.length;
    if (size > offset) yield before >= offset ? bytes : bytes.subarray(offset - before);
    progress(taken);
    if (whole) done(whole);
  }
}

/** One push of a layer to a repository, in one form, at a time. */
export const pushKey = (reference: Reference, diffId: string, form?: AskedForm): string =>
  canonical({ domain: reference.domain, path: reference.path, digest: diffId }) + formKey(form);

export const formKey = (form: AskedForm | undefined): string =>
  form === undefined ? "" : ` ${compressionName(form.compression)} ${form.exact}`;
