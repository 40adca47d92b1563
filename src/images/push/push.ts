import type { Repository } from "../../distribution/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import {
  canonical,
  familiar,
  familiarName,
  parseReference,
  type Reference,
  repositoryOf,
} from "../../lib/image/reference.ts";
import type { JsonMessage } from "../../types/api.ts";
import type { Descriptor } from "../../types/oci.ts";
import type { PushRequest } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { platformOf, requirePlatform } from "../platform.ts";
import { publishTransfer } from "../publish.ts";
import type { ImageRecord } from "../store.ts";
import { TransferMessages } from "../transfer/messages.ts";
import { pushKey, pushLayer } from "./layer.ts";
import { manifestFor, preferredBlobs } from "./manifest.ts";
import type { PushNews } from "./news.ts";

/**
 * `push`: for each tag, the layers and the configuration side by side, then the manifest, which makes the image visible
 * there. What the registry has is not sent.
 */
export async function* push(context: ImagesContext, request: PushRequest): AsyncGenerator<JsonMessage> {
  const messages = new TransferMessages();
  // told before anything else, as Docker does; that there is no such image is not
  if (request.platform) imagesOf(context, request);
  messages.status(`The push refers to repository [${repositoryOf(request.reference)}]`);
  run(context, request, messages).then(
    () => messages.end(),
    (error: unknown) => messages.fail(error),
  );
  yield* messages.read();
}

async function run(context: ImagesContext, request: PushRequest, messages: TransferMessages): Promise<void> {
  const access = {
    signal: request.signal,
    ...(request.credentials ? { credentials: request.credentials } : {}),
  };
  const { reference } = request;
  if (reference.digest !== undefined) throw new EngineError("invalid", "cannot push a digest reference");
  const target = context.distribution.target(reference, access);
  const images = imagesOf(context, request);
  // a registry that cannot be had is told before any layer is
  await context.distribution.reach(reference, request.signal);
  for (const { reference, image } of images)
    await pushOne(context, { reference, image, target, signal: request.signal, messages });
  publishTransfer(context, "push", reference);
}

interface Pushed {
  reference: Reference;
  image: ImageRecord;
}

/** The tag that was asked for, or all of the repository. */
function imagesOf({ store }: ImagesContext, { reference, platform }: PushRequest): Pushed[] {
  const { domain, path, tag } = reference;
  const names = tag === undefined ? store.namesIn(`${domain}/${path}:`) : [canonical({ domain, path, tag })];
  const found = names.flatMap((name) => {
    const image = store.get(store.named(name) ?? "");
    return image ? [{ reference: parseReference(name), image }] : [];
  });
  if (found.length === 0 && tag !== undefined && store.namesIn(`${domain}/${path}:`).length > 0)
    throw new EngineError("notFound", `tag does not exist: ${familiarName({ domain, path })}:${tag}`);
  if (found.length === 0)
    throw new EngineError(
      "notFound",
      `An image does not exist locally with the tag: ${familiarName(reference)}`,
    );
  const wanted = platformOf(platform);
  for (const { reference, image } of found) requirePlatform(image, familiar(reference), wanted);
  return found;
}

interface PushOne extends Pushed {
  target: Repository;
  signal: AbortSignal;
  messages: TransferMessages;
}

async function pushOne(context: ImagesContext, one: PushOne): Promise<void> {
  const { reference, image, target, messages } = one;
  const lease = context.leases.open();
  try {
    context.state.transaction(() => {
      for (const diffId of new Set(image.layers)) lease.hold("layer", diffId);
    });
    const text = new TextEncoder().encode(context.store.text(image.id));
    const layers = await pushBlobs(context, one, text);
    const manifest = manifestFor(
      { digest: image.id, size: text.length },
      layers,
      context.remote.manifests(image.id),
    );
    const { digest, warnings } = await target.putManifest(
      reference.tag ?? "latest",
      manifest.mediaType,
      manifest.bytes,
    );
    remember(context, one, { ...manifest, digest });
    for (const warning of warnings) messages.status(`Warning: ${warning}`);
    messages.status(`${reference.tag}: digest: ${digest} size: ${manifest.bytes.length}`);
    const aux = { Tag: reference.tag, Digest: digest, Size: manifest.bytes.length };
    messages.tell({ progressDetail: {}, aux });
  } finally {
    lease.end();
  }
}

/** The layers, and beside them the configuration; where both fail, what the layers have to say is told. */
async function pushBlobs(
  context: ImagesContext,
  one: PushOne,
  text: Uint8Array<ArrayBuffer>,
): Promise<Descriptor[]> {
  const stop = new AbortController();
  const config = pushConfig(one.target, one.image.id, text, AbortSignal.any([stop.signal, one.signal]));
  const settled = config.catch(() => undefined);
  try {
    const layers = await pushLayers(context, one);
    await config;
    return layers;
  } finally {
    stop.abort();
    await settled;
  }
}

/** Sends the layers that are not there; each one's form there, lowest first. When one fails the others stop. */
async function pushLayers(context: ImagesContext, one: PushOne): Promise<Descriptor[]> {
  const { image, messages } = one;
  const distinct = [...new Set(image.layers)].reverse();
  for (const diffId of distinct) messages.layer(shortId(diffId), "Preparing");
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, one.signal]);
  const forms = new Map<string, Descriptor>();
  const preferred = preferredBlobs(image, context.remote.manifests(image.id));
  const work = distinct.map(async (diffId) => {
    try {
      forms.set(diffId, await sendOne(context, { ...one, preferred }, diffId, signal));
    } catch (error) {
      stop.abort(error);
    }
  });
  await Promise.all(work);
  one.signal.throwIfAborted();
  stop.signal.throwIfAborted();
  return image.layers.flatMap((diffId) => forms.get(diffId) ?? []);
}

async function sendOne(
  context: ImagesContext,
  { reference, target, messages, preferred }: PushOne & { preferred: ReadonlyMap<string, string> },
  diffId: string,
  signal: AbortSignal,
): Promise<Descriptor> {
  const job = { reference, diffId, target, preferred: preferred.get(diffId) };
  return context.pushWork.join(
    pushKey(reference, diffId),
    (stop, tell) => pushLayer(context, job, stop, tell),
    {
      listener: (news) => show(messages, shortId(diffId), news),
      signal,
    },
  );
}

const shortId = (diffId: string): string => diffId.slice("sha256:".length, "sha256:".length + 12);

function show(messages: TransferMessages, id: string, news: PushNews): void {
  if (news.kind === "status") messages.layer(id, news.status);
  else messages.progress(id, "Pushing", news);
}

async function pushConfig(
  target: Repository,
  digest: string,
  text: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<void> {
  if ((await target.blobSize(digest)) !== undefined) return;
  async function* source(offset: number): AsyncGenerator<Uint8Array> {
    yield text.subarray(offset);
  }
  await target.upload({ digest: () => digest, size: text.length, source, signal });
}

/** The image is known by its digest there from now on. */
function remember(
  context: ImagesContext,
  { reference, image }: PushOne,
  manifest: { digest: string; mediaType: string; bytes: Uint8Array },
): void {
  const { domain, path } = reference;
  context.state.transaction(() => {
    context.store.addNames(image.id, [canonical({ domain, path, digest: manifest.digest })]);
    context.remote.addManifest(image.id, {
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      content: new TextDecoder().decode(manifest.bytes),
    });
  });
}
