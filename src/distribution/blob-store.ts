import type { Descriptor } from "../types/oci.ts";
import type { BlobPart, PutResult, RemoteManifest, Repository, UploadRequest } from "./contract.ts";

/**
 * A place that keeps blobs by digest and is no registry (a folder, a client's content store), for whatever works on
 * repositories: it takes nothing over from others, and its tags cannot be listed.
 */
export abstract class BlobStore implements Repository {
  abstract readonly endpoint: string;
  readonly isMirror = false;

  abstract manifest(tagOrDigest: string): Promise<RemoteManifest>;
  abstract blob(digest: string, offset: number, signal?: AbortSignal): Promise<BlobPart>;
  abstract blobSize(digest: string): Promise<number | undefined>;
  abstract upload(request: UploadRequest): Promise<void>;
  abstract putManifest(
    tagOrDigest: string,
    mediaType: string,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<PutResult>;

  head(): Promise<Descriptor | undefined> {
    return Promise.resolve(undefined);
  }

  tags(): AsyncIterable<string> {
    return new ReadableStream<string>({ start: (controller) => controller.close() });
  }

  mount(): Promise<boolean> {
    return Promise.resolve(false);
  }
}
