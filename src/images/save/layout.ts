import { sha256 } from "../../lib/image/digest.ts";
import { canonical, familiar, familiarName, type Reference } from "../../lib/image/reference.ts";
import { type Descriptor, type ImageConfig, type Manifest, mediaTypes } from "../../types/oci.ts";
import { legacyConfigs } from "./legacy-config.ts";

/** An image as the archive needs it. */
export interface SavedImage {
  id: string;
  /** the exact text that `id` is the digest of */
  text: string;
  config: ImageConfig;
  /** lowest first; sizes are of the uncompressed tars */
  layers: { diffId: string; size: number }[];
  references: Reference[];
  parent: string;
  /** seconds since the epoch */
  created: number;
}

/** One file of the archive: bytes at hand, or a layer's tar. */
export type Member = { name: string; mtime: number } & (
  | { content: Buffer }
  | { diffId: string; size: number }
);

const manifestType = mediaTypes.ociManifest;
const blobName = (digest: string): string => `blobs/${digest.replace(":", "/")}`;
const hexOf = (digest: string): string => digest.slice("sha256:".length);

/**
 * The files of an archive that is an OCI image layout with docker's older `manifest.json` and `repositories` beside it,
 * in order of their names.
 */
export function layoutOf(images: readonly SavedImage[]): Member[] {
  const members = new Map<string, Member>();
  const put = (name: string, mtime: number, content: Buffer): void => {
    if (!members.has(name)) members.set(name, { name, mtime, content });
  };
  const manifests: Descriptor[] = [];
  for (const image of images) {
    const { created, config, layers } = image;
    put(blobName(image.id), created, Buffer.from(image.text));
    for (const { diffId, size } of layers)
      members.set(blobName(diffId), { name: blobName(diffId), mtime: created, diffId, size });
    for (const text of legacyConfigs(config)) put(blobName(sha256(text)), created, Buffer.from(text));
    const manifest = Buffer.from(JSON.stringify(manifestOf(image)));
    put(blobName(sha256(manifest)), 0, manifest);
    const descriptor = { mediaType: manifestType, digest: sha256(manifest), size: manifest.length };
    manifests.push(...named(descriptor, image.references));
  }
  put("index.json", 0, json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
  put(
    "manifest.json",
    0,
    json(
      images.map((image) => itemOf(image, images)),
      "\n",
    ),
  );
  put("oci-layout", 0, Buffer.from('{"imageLayoutVersion": "1.0.0"}'));
  const repositories = repositoriesOf(images);
  if (Object.keys(repositories).length > 0) put("repositories", 0, json(repositories, "\n"));
  return [...members.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const json = (value: unknown, end = ""): Buffer => Buffer.from(JSON.stringify(value) + end);

const layerDescriptor = ({ diffId, size }: { diffId: string; size: number }): Descriptor => ({
  mediaType: mediaTypes.ociLayer,
  digest: diffId,
  size,
});

const manifestOf = ({ id, text, layers }: SavedImage): Manifest => ({
  schemaVersion: 2,
  mediaType: manifestType,
  config: { mediaType: mediaTypes.ociConfig, digest: id, size: Buffer.byteLength(text) },
  layers: layers.map(layerDescriptor),
});

/** A descriptor for each name, as containerd marks them; one without where there is none. */
function named(descriptor: Descriptor, references: readonly Reference[]): Descriptor[] {
  if (references.length === 0) return [descriptor];
  return references.map((reference) => ({
    ...descriptor,
    annotations: {
      "io.containerd.image.name": canonical(reference),
      "org.opencontainers.image.ref.name": reference.tag ?? "",
    },
  }));
}

/** The image's item in `manifest.json`. */
function itemOf(image: SavedImage, all: readonly SavedImage[]): object {
  const { id, layers, references, parent } = image;
  const sources = layers.map(layerDescriptor).sort((a, b) => (a.digest < b.digest ? -1 : 1));
  return {
    Config: blobName(id),
    RepoTags: references.length > 0 ? references.map(familiar) : null,
    Layers: layers.map(({ diffId }) => blobName(diffId)),
    ...(all.some((other) => other.id === parent) ? { Parent: parent } : {}),
    LayerSources: Object.fromEntries(
      sources.map(({ mediaType, size, digest }) => [digest, { mediaType, size, digest }]),
    ),
  };
}

function repositoriesOf(images: readonly SavedImage[]): Record<string, Record<string, string>> {
  const repositories = new Map<string, Map<string, string>>();
  for (const { layers, references } of images) {
    const top = layers.at(-1);
    if (top === undefined) continue;
    for (const reference of references) {
      const tags = repositories.get(familiarName(reference)) ?? new Map<string, string>();
      repositories.set(familiarName(reference), tags.set(reference.tag ?? "latest", hexOf(top.diffId)));
    }
  }
  return sorted(new Map([...repositories].map(([name, tags]) => [name, sorted(tags)])));
}

const sorted = <Value>(map: Map<string, Value>): Record<string, Value> =>
  Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
