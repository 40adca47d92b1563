import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { BlobStore } from "../../distribution/blob-store.ts";
import type { BlobPart, PutResult, RemoteManifest } from "../../distribution/contract.ts";
import { descriptorOf } from "../../images/remote/manifest.ts";
import { EngineError } from "../../lib/errors.ts";
import { isSha256, sha256 } from "../../lib/image/digest.ts";
import { holdBeneath, readBeneath } from "../../system/files/beneath.ts";
import { type Descriptor, mediaTypes } from "../../types/oci.ts";
import { parseJson } from "./cache-config.ts";

const documentMax = 4 * 1024 * 1024;
export const tagAnnotation = "org.opencontainers.image.ref.name";

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * An OCI image layout in a folder, read in place (https://github.com/opencontainers/image-spec, image-layout.md). Whoever
 * made the folder may be anybody: nothing is opened that lies outside of it, or that is no regular file.
 */
export class LayoutFolder extends BlobStore {
  readonly endpoint: string;
  private readonly root: string;

  constructor(root: string) {
    super();
    this.root = root;
    this.endpoint = `local:${root}`;
  }

  async manifest(tagOrDigest: string): Promise<RemoteManifest> {
    const digest = isSha256(tagOrDigest) ? tagOrDigest : this.named(tagOrDigest).digest;
    const text = readBeneath(this.root, blobPath(digest), documentMax);
    const bytes = text === undefined ? undefined : new TextEncoder().encode(text);
    if (bytes === undefined || sha256(bytes) !== digest)
      throw new EngineError("notFound", `${digest}: not found in ${this.root}`);
    const value = parseJson(bytes);
    const type = isRecord(value) ? value["mediaType"] : undefined;
    const mediaType = typeof type === "string" ? type : mediaTypes.ociManifest;
    return { mediaType, digest, bytes };
  }

  /** What `index.json` lists, as it is written there. */
  entries(): Record<string, unknown>[] {
    const text = readBeneath(this.root, "index.json", documentMax);
    if (text === undefined) return [];
    const value = parseJson(new TextEncoder().encode(text));
    const list = isRecord(value) ? value["manifests"] : undefined;
    return Array.isArray(list) ? list.filter(isRecord) : [];
  }

  async blob(digest: string, offset: number): Promise<BlobPart> {
    const held = await this.hold(digest);
    if (held === undefined) throw new EngineError("notFound", `${digest}: not found in ${this.root}`);
    async function* bytes(): AsyncGenerator<Uint8Array> {
      try {
        if (held !== undefined)
          yield* createReadStream(held.path, { start: offset, highWaterMark: 256 * 1024 });
      } finally {
        held?.close();
      }
    }
    return { start: offset, bytes: bytes() };
  }

  async blobSize(digest: string): Promise<number | undefined> {
    const held = await this.hold(digest);
    held?.close();
    return held?.size;
  }

  upload(): Promise<void> {
    throw readOnly();
  }
  putManifest(): Promise<PutResult> {
    throw readOnly();
  }

  private named(tag: string): Descriptor {
    const found = this.entries().find(
      ({ annotations }) => isRecord(annotations) && annotations[tagAnnotation] === tag,
    );
    if (found === undefined)
      throw new EngineError("notFound", `no digest found for tag ${tag} in ${this.root}/index.json`);
    return descriptorOf(found, "index");
  }

  private async hold(digest: string): Promise<{ path: string; size: number; close: () => void } | undefined> {
    if (!isSha256(digest)) return undefined;
    const held = holdBeneath(this.root, blobPath(digest));
    if (typeof held === "string") return undefined;
    const stats = await stat(held.path);
    if (stats.isFile()) return { ...held, size: stats.size };
    held.close();
    return undefined;
  }
}

export const blobPath = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

const readOnly = (): EngineError =>
  new EngineError("internal", "a layout that is read in place is not written to");
