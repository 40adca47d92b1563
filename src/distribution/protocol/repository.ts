import { messageOf } from "../../lib/errors.ts";
import type { Descriptor } from "../../types/oci.ts";
import type { BlobPart, PutResult, RemoteManifest, Repository, UploadRequest } from "../contract.ts";
import { printable } from "../errors.ts";
import { getBlob, headBlob } from "./blobs.ts";
import type { Caller } from "./call.ts";
import { getManifest, headManifest, listTags, type ManifestPlace, putManifest } from "./manifests.ts";
import { listReferrers } from "./referrers.ts";
import { listUnderSubject } from "./subject.ts";
import { mountBlob, uploadBlob } from "./uploads.ts";

/** One repository at one endpoint, with what may be done there. */
export class RemoteRepository implements Repository {
  readonly isMirror: boolean;
  private readonly place: ManifestPlace;

  constructor(caller: Caller, path: string, actions: "pull" | "pull,push", isMirror: boolean) {
    this.isMirror = isMirror;
    this.place = { caller, path, scopes: [`repository:${path}:${actions}`] };
  }

  get endpoint(): string {
    return this.place.caller.endpoint.name;
  }

  manifest(tagOrDigest: string): Promise<RemoteManifest> {
    return getManifest(this.place, tagOrDigest);
  }
  head(tagOrDigest: string): Promise<Descriptor | undefined> {
    return headManifest(this.place, tagOrDigest);
  }
  tags(): AsyncIterable<string> {
    return listTags(this.place);
  }
  referrers(digest: string, artifactType?: string): Promise<Descriptor[]> {
    return listReferrers(this.place, digest, artifactType);
  }
  blob(digest: string, offset: number, signal?: AbortSignal): Promise<BlobPart> {
    return getBlob(this.place, digest, offset, signal);
  }
  blobSize(digest: string): Promise<number | undefined> {
    return headBlob(this.place, digest);
  }
  mount(digest: string, from: string): Promise<boolean> {
    return mountBlob(this.place, digest, from);
  }
  upload(request: UploadRequest): Promise<void> {
    return uploadBlob(this.place, request);
  }
  async putManifest(
    tagOrDigest: string,
    mediaType: string,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<PutResult> {
    const { listsSubject, ...result } = await putManifest(this.place, tagOrDigest, mediaType, bytes);
    if (listsSubject) return result;
    // the manifest is there: what fails from here on does not undo that
    const unlisted = await listUnderSubject(this.place, mediaType, bytes).catch(
      (error: unknown) =>
        `pushed, but not listed among what refers to the manifest it is about: ${printable(messageOf(error))}`,
    );
    return unlisted === undefined ? result : { ...result, warnings: [...result.warnings, unlisted] };
  }
}
