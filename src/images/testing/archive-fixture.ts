import { sha256 } from "../../lib/image/digest.ts";
import { paddingOf } from "../../lib/tar/entry.ts";
import { endOfArchive, headerOf, tarEntry } from "../../lib/tar/writer.ts";

/** For tests: image archives made in memory, right and wrong ones. */
type Content = string | Uint8Array | { link: string } | { device: true };

/** A tar of these members, in this order. */
export function tarOf(members: readonly [name: string, content: Content][]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, content] of members) {
    if (typeof content === "object" && "link" in content)
      parts.push(headerOf(tarEntry({ type: "symlink", name, linkName: content.link })));
    else if (typeof content === "object" && "device" in content)
      parts.push(headerOf(tarEntry({ type: "char", name, deviceMajor: 1, deviceMinor: 3 })));
    else {
      const bytes = Buffer.from(content);
      parts.push(
        headerOf(tarEntry({ type: "file", name, size: bytes.length })),
        bytes,
        new Uint8Array(paddingOf(bytes.length)),
      );
    }
  }
  return Buffer.concat([...parts, endOfArchive]);
}

/** A layer tar of one file, and its diff id. */
export function layerOf(text: string): { bytes: Uint8Array; diffId: string } {
  const bytes = tarOf([["f", text]]);
  return { bytes, diffId: sha256(bytes) };
}

export function configText(
  layers: readonly { diffId: string }[],
  fields: Record<string, unknown> = {},
): string {
  return JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: { Cmd: ["sh"] },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    ...fields,
  });
}

export const manifestJson = (fields: Record<string, unknown> = {}): string =>
  JSON.stringify([{ Config: "c.json", RepoTags: ["a:t"], Layers: ["l/layer.tar"], ...fields }]);

export type Member = [name: string, content: Content];

/** The members of an archive as `docker save` wrote them before OCI layouts. */
export function dockerMembers(
  layer = layerOf("hello"),
  config = configText([layer]),
  manifest = manifestJson(),
): Member[] {
  return [
    ["c.json", config],
    ["l/layer.tar", layer.bytes],
    ["manifest.json", manifest],
  ];
}

export const blobPath = (bytes: string | Uint8Array): string => `blobs/${sha256(bytes).replace(":", "/")}`;

const descriptorOf = (
  bytes: string | Uint8Array,
  mediaType: string,
  fields: Record<string, unknown> = {},
) => ({
  mediaType,
  digest: sha256(bytes),
  size: Buffer.byteLength(bytes as string),
  ...fields,
});

const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const ociIndex = "application/vnd.oci.image.index.v1+json";

export function manifestOf(
  config: string,
  layer: Uint8Array,
  layerType = "application/vnd.oci.image.layer.v1.tar",
): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: ociManifest,
    config: descriptorOf(config, "application/vnd.oci.image.config.v1+json"),
    layers: [descriptorOf(layer, layerType)],
  });
}

/** An index of manifests, with what each descriptor says besides. */
export const indexOf = (manifests: readonly [text: string, fields?: Record<string, unknown>][]): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: manifests.map(([text, fields]) =>
      descriptorOf(text, text.includes('"manifests"') ? ociIndex : ociManifest, fields),
    ),
  });

export const named = (name: string): Record<string, unknown> => ({
  annotations: { "io.containerd.image.name": name },
});
