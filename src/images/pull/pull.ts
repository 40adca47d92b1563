import type { Access, Repository } from "../../distribution/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { formatPlatform, hostArchitecture, isSamePlatform, parsePlatform } from "../../lib/image/platform.ts";
import {
  canonical,
  familiar,
  familiarName,
  type Reference,
  withDefaultTag,
} from "../../lib/image/reference.ts";
import type { JsonMessage } from "../../types/api.ts";
import type { Descriptor, ImageConfig, Platform } from "../../types/oci.ts";
import { addText } from "../add.ts";
import { configSizeMax, parseConfig } from "../config.ts";
import type { PullRequest } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { publishTransfer } from "../publish.ts";
import { checkTypes } from "../remote/media-types.ts";
import { toImage } from "../resolve.ts";
import type { ImageRecord } from "../store.ts";
import { TransferMessages } from "../transfer/messages.ts";
import { readSmallBlob } from "./download.ts";
import { pullFailure } from "./failure.ts";
import { bringLayers } from "./layers.ts";
import { type FoundManifest, findManifest, type ImageManifest, imageManifest } from "./resolve.ts";

/**
 * `pull`: manifest → configuration → layers, side by side → the image and its names in one transaction. What can be
 * refused before anything is told rejects with the first message; later failures are thrown in turn. An image that is
 * here already costs one small question.
 */
export async function* pull(context: ImagesContext, request: PullRequest): AsyncGenerator<JsonMessage> {
  const messages = new TransferMessages();
  const work = run(context, request, messages);
  work.then(
    () => messages.end(),
    (error: unknown) => messages.fail(error),
  );
  yield* messages.read();
}

interface Pull {
  request: PullRequest;
  platform: Platform | undefined;
  sources: Repository[];
  messages: TransferMessages;
}

async function run(context: ImagesContext, request: PullRequest, messages: TransferMessages): Promise<void> {
  const { reference } = request;
  if (familiarName(reference) === "scratch")
    throw new EngineError("forbidden", "'scratch' is a reserved name");
  const platform = request.platform ? parsePlatform(request.platform) : undefined;
  const access: Access = {
    signal: request.signal,
    ...(request.credentials ? { credentials: request.credentials } : {}),
  };
  const pulling: Pull = {
    request,
    platform,
    sources:
      request.sources === undefined ? context.distribution.sources(reference, access) : [...request.sources],
    messages,
  };
  try {
    let changed = false;
    for await (const each of referencesOf(pulling))
      changed = (await pullOne(context, pulling, each)) || changed;
    if (request.sources === undefined)
      publishTransfer(context, "pull", request.allTags ? reference : withDefaultTag(reference));
    const named = request.allTags ? familiarName(reference) : familiar(withDefaultTag(reference));
    messages.status(`Status: ${changed ? "Downloaded newer image for" : "Image is up to date for"} ${named}`);
    warnOfPlatform(context, pulling);
  } catch (error) {
    throw request.signal.aborted ? error : pullFailure(withDefaultTag(reference), error);
  }
}

/** The one that was asked for, or all tags of its repository, which are told by the origin. */
async function* referencesOf({ request, sources }: Pull): AsyncGenerator<Reference> {
  const { reference } = request;
  if (!request.allTags) {
    yield withDefaultTag(reference);
    return;
  }
  for await (const tag of sources.at(-1)?.tags() ?? [])
    yield { domain: reference.domain, path: reference.path, tag };
}

/** Pulls one reference. True when it now names another image than before. */
async function pullOne(context: ImagesContext, pulling: Pull, reference: Reference): Promise<boolean> {
  const { messages, sources } = pulling;
  const { sources: given, arrived } = pulling.request;
  const untagged = pulling.request.untagged === true || given !== undefined;
  const before = untagged ? undefined : currentImage(context, reference);
  const unchanged =
    before && hasLayers(context, before) && (await stillNamed(context, pulling, reference, before));
  const found = unchanged
    ? undefined
    : await findManifest(sources, reference.digest ?? reference.tag ?? "latest");
  messages.tell({
    status: `Pulling from ${reference.path}`,
    id: reference.digest === undefined ? (reference.tag ?? "") : familiar(reference),
  });
  const digest = unchanged ?? found?.manifest.digest ?? "";
  const image = found ? await bring(context, pulling, found, reference) : before;
  messages.status(`Digest: ${digest}`);
  if (image) arrived?.(toImage(image));
  return found !== undefined && image?.id !== before?.id;
}

function currentImage(
  { store }: ImagesContext,
  { domain, path, tag, digest }: Reference,
): ImageRecord | undefined {
  const key =
    digest === undefined
      ? canonical({ domain, path, tag: tag ?? "latest" })
      : canonical({ domain, path, digest });
  return store.get(store.named(key) ?? "");
}

/**
 * The digest by which an image that is here was pulled, where the registry still names that one by the tag: asked with a
 * HEAD, which the Hub does not count as a pull.
 */
async function stillNamed(
  { store }: ImagesContext,
  { sources, platform }: Pull,
  reference: Reference,
  image: ImageRecord,
): Promise<string | undefined> {
  if (platform && !isSamePlatform(image.config, platform)) return undefined;
  const { domain, path, digest } = reference;
  const names = (one: string): boolean => store.named(canonical({ domain, path, digest: one })) === image.id;
  if (digest !== undefined) return names(digest) ? digest : undefined;
  if (!store.referencesOf(image.id).some((text) => text.startsWith(`${domain}/${path}@`))) return undefined;
  for (const source of sources) {
    try {
      const descriptor = await source.head(reference.tag ?? "latest");
      return descriptor && names(descriptor.digest) ? descriptor.digest : undefined;
    } catch {
      // the next may know; where none does, the full question tells why
    }
  }
  return undefined;
}

/** False for an image that lost a damaged layer: pulling it again brings that back. */
const hasLayers = ({ snapshots }: ImagesContext, image: ImageRecord): boolean =>
  image.layers.every((diffId) => snapshots.layer(diffId) !== undefined);

/** Brings what a manifest names and adds it as an image. */
async function bring(
  context: ImagesContext,
  pulling: Pull,
  found: FoundManifest,
  reference: Reference,
): Promise<ImageRecord> {
  const image = await imageManifest(found, pulling.platform);
  const { untagged = false, sources: given } = pulling.request;
  const naming = { untagged, unnamed: given !== undefined };
  checkTypes(image.config, image.layers);
  const known = context.store.get(image.config.digest);
  if (known && hasLayers(context, known))
    return adopt(context, { found, image, reference, text: undefined, blobs: new Map(), ...naming }, known);
  const { signal } = pulling.request;
  const text = new TextDecoder().decode(
    await readSmallBlob(found.sources, image.config, { limit: configSizeMax, signal }),
  );
  const config = checkConfig(text, image);
  const lease = context.leases.open();
  try {
    const blobs = await bringLayers(context, {
      reference,
      diffIds: config.rootfs.diff_ids,
      blobs: image.layers,
      sources: found.sources,
      client: clientOf(pulling.request),
      lease,
      signal,
      messages: pulling.messages,
    });
    return adopt(context, { found, image, reference, text, blobs, ...naming }, undefined);
  } finally {
    lease.end();
  }
}

/** Credentials are told apart without keeping them. */
const clientOf = ({ credentials }: PullRequest): string =>
  credentials ? sha256(JSON.stringify(credentials)) : "";

export function checkConfig(text: string, { layers }: ImageManifest): ImageConfig {
  if (!/"rootfs"/.test(text)) throw new EngineError("invalid", "invalid rootfs in image configuration");
  const config = parseConfig(text);
  if (config.os !== "linux")
    throw new EngineError(
      "invalid",
      `image operating system ${JSON.stringify(config.os)} cannot be used on this platform: operating system is not supported`,
    );
  if (config.rootfs.diff_ids.length !== layers.length)
    throw new EngineError("invalid", "layers from manifest don't match image configuration");
  return config;
}

interface Arrived {
  found: FoundManifest;
  image: ImageManifest;
  reference: Reference;
  /** of the configuration; undefined = the image is here */
  text: string | undefined;
  /** by diff id, those that were found to hold a layer */
  blobs: ReadonlyMap<string, Descriptor>;
  untagged: boolean;
  /** no registry has it: neither names nor places of blobs are kept */
  unnamed: boolean;
}

/** The image, its names, and what it was pulled by: one transaction. */
function adopt(
  context: ImagesContext,
  { found, image, reference, text, blobs, untagged, unnamed }: Arrived,
  known: ImageRecord | undefined,
): ImageRecord {
  const { domain, path, tag } = reference;
  const { manifest } = image;
  const byDigest = { domain, path, digest: untagged ? manifest.digest : found.manifest.digest };
  const isTagged = reference.digest === undefined && !untagged;
  const references = unnamed
    ? []
    : isTagged
      ? [{ domain, path, tag: tag ?? "latest" }, byDigest]
      : [byDigest];
  return context.state.transaction(() => {
    const id = known?.id ?? sha256(text ?? "");
    const record = known
      ? context.store.addNames(id, references.map(canonical))
      : addText(context, text ?? "", { references });
    if (unnamed) return record;
    for (const [diffId, blob] of blobs) context.remote.addBlob(diffId, blob, `${domain}/${path}`);
    context.remote.addManifest(id, {
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      content: manifest.bytes.toString(),
    });
    return record;
  });
}

function warnOfPlatform(context: ImagesContext, { request, platform, messages }: Pull): void {
  const image = platform && currentImage(context, withDefaultTag(request.reference));
  if (!image || isSamePlatform(image.config, platform)) return;
  const { os, architecture, variant } = image.config;
  const actual = formatPlatform({
    os,
    architecture: architecture || hostArchitecture,
    ...(variant ? { variant } : {}),
  });
  messages.status(
    `WARNING: image with reference ${familiar(withDefaultTag(request.reference))} was found but its platform (${actual}) does not match the specified platform (${formatPlatform(platform)})`,
  );
}
