import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { BlobStore } from "../../distribution/blob-store.ts";
import type { BlobPart, PutResult, RemoteManifest, UploadRequest } from "../../distribution/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { endOfArchive, headerOf, padding, tarEntry } from "../../lib/tar/writer.ts";
import { mediaTypes } from "../../types/oci.ts";
import type { OutputSink } from "../contract.ts";
import { blobPath, type LayoutFolder, tagAnnotation } from "./layout-folder.ts";

/**
 * An OCI image layout that goes to the client as a tar, to be unpacked over the folder that it has: what that has already
 * is not sent. A blob's size is known once it is made, so each waits in a file until it is whole.
 */
export class LayoutArchive extends BlobStore {
  readonly endpoint: string;
  private readonly sink: OutputSink;
  private readonly before: LayoutFolder | undefined;
  private readonly scratch: string;
  private readonly sent = new Map<string, number>();
  /** entries go out one after the other */
  private last: Promise<void>;

  constructor(sink: OutputSink, before: LayoutFolder | undefined, scratch: string) {
    super();
    this.sink = sink;
    this.before = before;
    this.scratch = scratch;
    this.endpoint = `archive:${newId()}`;
    this.last = this.folders();
    // told to whoever writes next
    this.last.catch(() => undefined);
  }

  async blobSize(digest: string): Promise<number | undefined> {
    return this.sent.get(digest) ?? (await this.before?.blobSize(digest));
  }

  async upload({ digest, source, progress, signal }: UploadRequest): Promise<void> {
    const path = join(this.scratch, `cache-${newId()}`);
    try {
      const size = await spool(path, source(0), (bytes) => {
        signal?.throwIfAborted();
        progress?.(bytes);
      });
      await this.entry(blobPath(digest()), size, () => createReadStream(path));
      this.sent.set(digest(), size);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** The last thing that is written: with it the layout names what is in it. */
  async putManifest(tag: string, mediaType: string, bytes: Uint8Array<ArrayBuffer>): Promise<PutResult> {
    const digest = sha256(bytes);
    const own = { mediaType, digest, size: bytes.length, annotations: { [tagAnnotation]: tag } };
    const others = (this.before?.entries() ?? []).filter(
      ({ annotations }) => (annotations as Record<string, unknown> | undefined)?.[tagAnnotation] !== tag,
    );
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...others, own] };
    await this.whole(blobPath(digest), bytes);
    await this.whole("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
    await this.whole("index.json", Buffer.from(JSON.stringify(index)));
    await this.sink.write(pieces(endOfArchive));
    return { digest, warnings: [] };
  }

  manifest(): Promise<RemoteManifest> {
    throw writeOnly();
  }
  blob(): Promise<BlobPart> {
    throw writeOnly();
  }

  private async folders(): Promise<void> {
    for (const name of ["blobs/", "blobs/sha256/"])
      await this.sink.write(pieces(headerOf(tarEntry({ type: "directory", name, mode: 0o755 }))));
  }

  private whole(name: string, bytes: Uint8Array): Promise<void> {
    return this.entry(name, bytes.length, () => pieces(bytes));
  }

  private entry(name: string, size: number, content: () => AsyncIterable<Uint8Array>): Promise<void> {
    const header = headerOf(tarEntry({ type: "file", name, size, mode: 0o644, mtime: { s: now(), ns: 0 } }));
    const write = async (): Promise<void> => {
      await this.sink.write(pieces(header));
      await this.sink.write(content());
      await this.sink.write(pieces(padding(size)));
    };
    const turn = this.last.then(write);
    this.last = turn;
    turn.catch(() => undefined);
    return turn;
  }
}

const now = (): number => Math.floor(Date.now() / 1000);

async function spool(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  progress: (bytes: number) => void,
): Promise<number> {
  const file = await open(path, "wx", 0o600);
  try {
    let size = 0;
    for await (const chunk of bytes) {
      await file.writeFile(chunk);
      size += chunk.length;
      progress(size);
    }
    return size;
  } finally {
    await file.close();
  }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const writeOnly = (): EngineError => new EngineError("internal", "a layout that is being sent is not read");
