import { canonical, parseReference, withDefaultTag } from "../../lib/reference.ts";
import { endOfArchive, headerOf, padding, tarEntry } from "../../lib/tar/writer.ts";
import { type Descriptor, mediaTypes } from "../../types/oci.ts";
import type { Session } from "../solver/session.ts";
import { type Assembled, assemble } from "./assemble.ts";
import type { PlatformResult } from "./export.ts";

/** Assembles results for an OCI layout: its layers are tars as they are. */
export async function assembleLayout(
  session: Session,
  results: readonly PlatformResult[],
  names: readonly string[],
): Promise<{ made: Assembled; layers: ReadonlyMap<string, Descriptor> }> {
  const distinct = [...new Set(results.flatMap(({ layers }) => layers))];
  const sized = distinct.map(async (diffId): Promise<[string, Descriptor]> => {
    const size = await session.deps.snapshots.layerTarSize(diffId);
    return [diffId, { mediaType: mediaTypes.ociLayer, digest: diffId, size }];
  });
  const layers = new Map(await Promise.all(sized));
  return { made: assemble({ session, results, layers, names }), layers };
}

/** The layout as a tar, in order of names within each kind: the same build is the same archive. */
export async function* layoutArchive(
  { deps }: Session,
  { made, layers }: { made: Assembled; layers: ReadonlyMap<string, Descriptor> },
  names: readonly string[],
): AsyncGenerator<Uint8Array> {
  for (const name of ["blobs/", "blobs/sha256/"])
    yield headerOf(tarEntry({ type: "directory", name, mode: 0o755 }));
  const documents = [...made.blobs, ...made.manifests, made.top];
  const distinct = new Map(documents.map(({ descriptor, bytes }) => [descriptor.digest, bytes]));
  for (const [digest, bytes] of distinct) yield* member(blobName(digest), bytes);
  for (const { digest, size } of layers.values()) {
    yield headerOf(tarEntry({ type: "file", name: blobName(digest), size, mode: 0o644 }));
    yield* deps.snapshots.layerTar(digest) as AsyncIterable<Uint8Array>;
    yield padding(size);
  }
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: namedDescriptors(made.top.descriptor, names),
  };
  yield* member("index.json", Buffer.from(JSON.stringify(index)));
  yield* member("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  yield endOfArchive;
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
