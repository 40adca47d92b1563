import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { LayerCompression, LayerForm } from "../../lib/compression/layer-compression.ts";
import { newId } from "../../lib/ids.ts";
import { canonical, familiar, parseReference, withDefaultTag } from "../../lib/image/reference.ts";
import { endOfArchive, headerOf, padding, tarEntry } from "../../lib/tar/writer.ts";
import { type Descriptor, type Manifest, mediaTypes } from "../../types/oci.ts";
import type { Session } from "../solver/session.ts";
import { type Assembled, assemble } from "./assemble.ts";
import type { PlatformResult } from "./result.ts";

/** A layer as an archive has it: its bytes are made, or read from where they were packed. */
interface LayoutLayer {
  descriptor: Descriptor;
  bytes(): AsyncIterable<Uint8Array>;
}

interface Layout {
  made: Assembled;
  layers: readonly LayoutLayer[];
}

/** Assembles results for an OCI layout: its layers are tars as they are, unless another form is asked for. */
export async function assembleLayout(
  session: Session,
  results: readonly PlatformResult[],
  names: readonly string[],
  form: LayerForm,
): Promise<Layout> {
  const distinct = [...new Set(results.flatMap(({ layers }) => layers))];
  const { type } = form.compression ?? {};
  const found =
    form.compression === undefined || type === "uncompressed"
      ? await Promise.all(distinct.map((diffId) => plainLayer(session, diffId)))
      : await packedLayers(session, distinct, form.compression);
  const layers = new Map(found.map(({ descriptor }, at) => [distinct[at] ?? "", descriptor]));
  const made = assemble({ session, results, layers, names, oci: form.oci });
  return { made, layers: found };
}

async function plainLayer({ deps: { snapshots } }: Session, diffId: string): Promise<LayoutLayer> {
  const size = await snapshots.layerTarSize(diffId);
  return {
    descriptor: { mediaType: mediaTypes.ociLayer, digest: diffId, size },
    bytes: () => snapshots.layerTar(diffId) as AsyncIterable<Uint8Array>,
  };
}

/**
 * An archive has a file's name and size before its bytes, and both are known once all of it is packed: each waits in a file
 * until the build is over. One after the other, as packing one takes all processors.
 */
async function packedLayers(
  session: Session,
  diffIds: readonly string[],
  how: LayerCompression,
): Promise<LayoutLayer[]> {
  const folder = join(session.deps.paths.scratch, `packed-${newId().slice(0, 24)}`);
  session.discard(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const layers: LayoutLayer[] = [];
  for (const [at, diffId] of diffIds.entries()) {
    const path = join(folder, String(at));
    const whole = await packInto(session, path, diffId, how);
    const mediaType = how.type === "zstd" ? mediaTypes.ociLayerZstd : mediaTypes.ociLayerGzip;
    layers.push({ descriptor: { mediaType, ...whole }, bytes: () => createReadStream(path) });
  }
  return layers;
}

async function packInto(
  { deps, signal }: Session,
  path: string,
  diffId: string,
  how: LayerCompression,
): Promise<{ digest: string; size: number }> {
  const file = await open(path, "wx", 0o600);
  try {
    let packed = { digest: "", size: 0 };
    for await (const { bytes, whole } of deps.snapshots.layerBlob(diffId, how)) {
      signal.throwIfAborted();
      await file.writeFile(bytes);
      packed = whole ?? packed;
    }
    return packed;
  } finally {
    await file.close();
  }
}

/** The layout as a tar, in the same order each time; `isDocker`: what `docker load` reads is beside it. */
export async function* layoutArchive(
  { signal }: Session,
  { made, layers }: Layout,
  { names, isDocker }: { names: readonly string[]; isDocker: boolean },
): AsyncGenerator<Uint8Array> {
  for (const name of ["blobs/", "blobs/sha256/"])
    yield headerOf(tarEntry({ type: "directory", name, mode: 0o755 }));
  const documents = [...made.blobs, ...made.manifests, made.top];
  const distinct = new Map(documents.map(({ descriptor, bytes }) => [descriptor.digest, bytes]));
  for (const [digest, bytes] of distinct) yield* member(blobName(digest), bytes);
  for (const { descriptor, bytes } of layers) {
    const { digest, size } = descriptor;
    yield headerOf(tarEntry({ type: "file", name: blobName(digest), size, mode: 0o644 }));
    for await (const piece of bytes()) {
      signal.throwIfAborted();
      yield piece;
    }
    yield padding(size);
  }
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: namedDescriptors(made.top.descriptor, names),
  };
  yield* member("index.json", Buffer.from(JSON.stringify(index)));
  if (isDocker) yield* member("manifest.json", Buffer.from(JSON.stringify(dockerList(made, names))));
  yield* member("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  yield endOfArchive;
}

/** `manifest.json` of the archive's one image. */
function dockerList({ top, configDigest }: Assembled, names: readonly string[]): object[] {
  const { layers = [] } = JSON.parse(Buffer.from(top.bytes).toString()) as Partial<Manifest>;
  return [
    {
      Config: blobName(configDigest),
      RepoTags: names.map((name) => familiar(withDefaultTag(parseReference(name)))),
      Layers: layers.map(({ digest }) => blobName(digest)),
    },
  ];
}

const blobName = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

function namedDescriptors(descriptor: Descriptor, names: readonly string[]): Descriptor[] {
  if (names.length === 0) return [descriptor];
  return names.map((name) => {
    const reference = withDefaultTag(parseReference(name));
    const annotations = {
      "io.containerd.image.name": canonical(reference),
      "org.opencontainers.image.ref.name": reference.tag ?? "",
    };
    return { ...descriptor, annotations };
  });
}

export function* member(name: string, bytes: Uint8Array): Generator<Uint8Array> {
  yield headerOf(tarEntry({ type: "file", name, size: bytes.length, mode: 0o644 }));
  yield bytes;
  yield padding(bytes.length);
}
