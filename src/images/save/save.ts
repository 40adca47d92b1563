import { sha256 } from "../../lib/image/digest.ts";
import { endOfArchive, headerOf, padding, tarEntry } from "../../lib/tar/writer.ts";
import type { ImageConfig } from "../../types/oci.ts";
import type { SaveRequest } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { platformOf } from "../platform.ts";
import { publish } from "../publish.ts";
import { taggable } from "../tag.ts";
import { layoutOf, type Member, type SavedImage } from "./layout.ts";
import { type Selected, select } from "./select.ts";

/**
 * `save`: images as one tar, an OCI layout that `docker load` of any age reads. Names are resolved and sizes known before
 * the first byte; layers are read as they go out, and are held until the stream ends or is given up.
 */
export async function save(context: ImagesContext, request: SaveRequest): Promise<AsyncIterable<Uint8Array>> {
  const selected = select(context.store, request.names, platformOf(request.platform));
  const images = await Promise.all(selected.map((one) => savedImage(context, one)));
  return archive(context, images, { without: new Set(request.without) });
}

async function savedImage({ store, snapshots }: ImagesContext, { image, references }: Selected) {
  const { id, config, parent, createdNs } = image;
  const layers = image.layers.map(async (diffId) => ({ diffId, size: await snapshots.layerTarSize(diffId) }));
  return {
    id,
    text: store.text(id),
    config,
    layers: await Promise.all(layers),
    references,
    parent,
    created: Number((createdNs ?? 0n) / 1_000_000_000n),
  };
}

/**
 * The same archive of images that need not be known by name: builds' results. Their layers must exist, and be held by the
 * caller.
 */
export async function archiveOf(
  context: ImagesContext,
  images: readonly { config: ImageConfig; references: readonly string[] }[],
): Promise<AsyncIterable<Uint8Array>> {
  const saved = images.map(async ({ config, references }): Promise<SavedImage> => {
    const text = JSON.stringify(config);
    const layers = config.rootfs.diff_ids.map(async (diffId) => ({
      diffId,
      size: await context.snapshots.layerTarSize(diffId),
    }));
    return {
      id: sha256(text),
      text,
      config,
      layers: await Promise.all(layers),
      references: references.map(taggable),
      parent: "",
      created: Math.trunc(Date.parse(config.created ?? "1970-01-01T00:00:00Z") / 1000),
    };
  });
  return archive(context, await Promise.all(saved), { tells: false });
}

async function* archive(
  context: ImagesContext,
  images: readonly SavedImage[],
  { tells = true, without = new Set() }: { tells?: boolean; without?: ReadonlySet<string> },
): AsyncGenerator<Uint8Array> {
  const lease = context.leases.open();
  try {
    context.state.transaction(() => {
      for (const { layers } of images) for (const { diffId } of layers) lease.hold("layer", diffId);
    });
    const mtime = { s: Math.max(0, ...images.map(({ created }) => created)), ns: 0 };
    for (const name of ["blobs/", "blobs/sha256/"])
      yield headerOf(tarEntry({ type: "directory", name, mtime }));
    for (const member of layoutOf(images))
      if (!("diffId" in member && without.has(member.diffId))) yield* memberBytes(context, member);
    yield endOfArchive;
    if (tells) for (const { id } of images) publish(context, "save", id);
  } finally {
    lease.end();
  }
}

async function* memberBytes({ snapshots }: ImagesContext, member: Member): AsyncGenerator<Uint8Array> {
  const { name, mtime } = member;
  const size = "diffId" in member ? member.size : member.content.length;
  yield headerOf(tarEntry({ type: "file", name, size, mtime: { s: mtime, ns: 0 } }));
  if ("diffId" in member) yield* snapshots.layerTar(member.diffId) as AsyncIterable<Uint8Array>;
  else yield member.content;
  yield padding(size);
}
