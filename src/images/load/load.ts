import { EngineError } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { isSamePlatform } from "../../lib/image/platform.ts";
import { canonical, familiar } from "../../lib/image/reference.ts";
import { bombFromDefault, decompress } from "../../system/compression/decompress.ts";
import type { JsonMessage } from "../../types/api.ts";
import type { Platform } from "../../types/oci.ts";
import { addText } from "../add.ts";
import { parseConfig } from "../config.ts";
import type { LoadRequest } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { platformOf } from "../platform.ts";
import { publish } from "../publish.ts";
import { taggable } from "../tag.ts";
import { TransferMessages } from "../transfer/messages.ts";
import { dockerArchiveImages } from "./docker-archive.ts";
import type { FoundImage } from "./found-image.ts";
import { type Intake, takeIn } from "./intake.ts";
import { legacyImages } from "./legacy-archive.ts";
import { ociLayoutImages } from "./oci-layout.ts";

/**
 * `load`: the images of a `docker save` archive or OCI layout, compressed or not, appear one by one, each in one
 * transaction. Layers are unpacked while the archive streams by; those that end up in no image are deleted again.
 */
export async function* load(context: ImagesContext, request: LoadRequest): AsyncGenerator<JsonMessage> {
  const platform = platformOf(request.platform);
  const messages = new TransferMessages();
  const work = context.reaper.whileWriting(() => run(context, { request, platform, messages }));
  work.then(
    () => messages.end(),
    (error: unknown) => messages.fail(error),
  );
  yield* messages.read();
}

interface Load {
  request: LoadRequest;
  platform: Platform | undefined;
  messages: TransferMessages;
}

async function run(context: ImagesContext, { request, platform, messages }: Load): Promise<void> {
  const lease = context.leases.open();
  const progress = (name: string, current: number, total: number): void =>
    messages.progress(shownAs(name), "Loading layer", { current, total });
  const taken = new Set<string>();
  const holding = {
    hold: (kind: "layer", diffId: string) => {
      taken.add(diffId);
      lease.hold(kind, diffId);
    },
  };
  const bombFrom = Math.max(bombFromDefault, context.limits.layerBytes);
  try {
    const intake = await takeIn(context, decompress(request.source, { bombFrom }), {
      lease: holding,
      ...(request.quiet ? {} : { progress }),
      ...(request.signal ? { signal: request.signal } : {}),
    });
    let loaded = 0;
    for (const found of imagesOf(intake, platform)) if (adopt(context, found, platform, messages)) loaded++;
    // Docker answers an empty object where nothing was loaded
    if (loaded === 0) messages.tell({});
  } finally {
    lease.end();
    await context.reaper.discard(taken);
  }
}

/** Of `<id>/layer.tar` and `blobs/sha256/<digest>` what tells them apart, as short as an id. */
const shownAs = (name: string): string =>
  (name.split("/").findLast((part) => part !== "layer.tar") ?? name).slice(0, 12);

function imagesOf(intake: Intake, platform: Platform | undefined): Iterable<FoundImage> {
  if (intake.documents.has("manifest.json")) return dockerArchiveImages(intake);
  if (intake.documents.has("index.json")) return ociLayoutImages(intake, platform);
  return legacyImages(intake);
}

/** Checks one image against its layers and adds it. False where it is of another platform than asked. */
function adopt(
  context: ImagesContext,
  found: FoundImage,
  platform: Platform | undefined,
  messages: TransferMessages,
): boolean {
  const config = parseConfig(found.text);
  if (config.os !== "linux") throw new EngineError("invalid", `cannot load ${config.os} image on linux`);
  if (platform && !isSamePlatform(config, platform)) return false;
  checkLayers(found, config.rootfs.diff_ids);
  const references = found.references.map((reference) => taggable(canonical(reference)));
  const id = sha256(found.text);
  for (const reference of references) {
    const before = context.store.named(canonical(reference));
    if (before !== undefined && before !== id)
      messages.tell({
        stream: `The image ${familiar(reference)} already exists, renaming the old one with ID ${before} to empty string\n`,
      });
  }
  const parent =
    found.parent !== undefined && context.store.get(found.parent) ? { parent: found.parent } : {};
  addText(context, found.text, { references, ...parent });
  for (const reference of references) messages.tell({ stream: `Loaded image: ${familiar(reference)}\n` });
  if (references.length === 0) messages.tell({ stream: `Loaded image ID: ${id}\n` });
  publish(context, "load", id);
  return true;
}

function checkLayers({ layers }: FoundImage, diffIds: readonly string[]): void {
  if (layers.length !== diffIds.length)
    throw new EngineError(
      "invalid",
      `invalid manifest, layers length mismatch: expected ${layers.length}, got ${diffIds.length}`,
    );
  diffIds.forEach((diffId, index) => {
    const actual = layers[index]?.diffId;
    if (actual !== diffId)
      throw new EngineError(
        "invalid",
        `invalid diffID for layer ${index}: expected "${diffId}", got "${actual}"`,
      );
  });
}
