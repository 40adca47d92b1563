import type { Credentials, RemoteManifest, Repository } from "../distribution/contract.ts";
import type { LayerCompression } from "../lib/compression/layer-compression.ts";
import type { Reference } from "../lib/image/reference.ts";
import type {
  DistributionInspect,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  JsonMessage,
} from "../types/api.ts";
import type { VerifyLine } from "../types/image-report.ts";
import type { LayerState } from "../types/layer-transfer.ts";
import type { Descriptor, ImageConfig, Platform } from "../types/oci.ts";

/**
 * Images: names and configurations over layers. An image's id is the digest of its configuration; a reference is
 * kept canonical (`docker.io/library/busybox:latest`) and told familiar (`busybox:latest`).
 */
export interface Image {
  /** `sha256:<64 hex>` */
  id: string;
  config: ImageConfig;
  /** diff ids, lowest first */
  layers: string[];
}

export interface ImportRequest {
  source: AsyncIterable<Uint8Array>;
  /** what the history says, "Imported from -" where the user gave no message */
  message: string;
  /** Dockerfile instructions to apply (`CMD ["sh"]`, `ENV a=b` …) */
  changes: string[];
  /** familiar reference to tag it with; undefined = none */
  reference?: string;
  platform?: string;
  signal?: AbortSignal;
}

export interface LoadRequest {
  source: AsyncIterable<Uint8Array>;
  quiet: boolean;
  platform?: string;
  signal?: AbortSignal;
}

export interface SaveRequest {
  /** references, repositories (all their tags) and ids */
  names: readonly string[];
  /** diff ids of layers that whoever loads the archive has: their bytes are left out */
  without?: readonly string[];
  /** `{"os":…,"architecture":…}` or `linux/arm64`: refuse where an image is of another one */
  platform?: string;
}

export interface SquashRequest {
  image: string;
  /** an image it stands on; absent = nothing, so all layers become one */
  from?: string;
  /** familiar reference to tag the new image with */
  reference?: string;
}

export interface VerifyRequest {
  /** empty = all */
  images: readonly string[];
  /** pull damaged layers again */
  repair: boolean;
  signal: AbortSignal;
}

export interface RemoteRequest {
  reference: Reference;
  credentials?: Credentials;
  signal: AbortSignal;
}

export interface PutRequest extends RemoteRequest {
  mediaType: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** path of the repository at the same registry whose blobs it names: they are brought along */
  from?: string;
}

/** What an image would be here, and how to name that very one. */
export interface RemoteImage extends Image {
  /** by digest: of what the name stands for, an index or a manifest */
  reference: Reference;
}

export interface PushRequest {
  /** without tag: every tag of the repository */
  reference: Reference;
  /** refuse where an image is of another one */
  platform?: string;
  credentials?: Credentials;
  signal: AbortSignal;
}

/** A layer on its way from or to a place that keeps blobs by digest, outside of any image. */
export interface LayerTransfer {
  diffId: string;
  /** what the place is called where it is a registry's repository; undefined = it is another kind of place */
  reference: Reference | undefined;
  signal: AbortSignal;
  /** bytes so far: compressed ones in, those of the tar out */
  progress?: (bytes: number) => void;
}

/** How a layer is to be packed where it is sent to. */
export interface AskedForm {
  compression: LayerCompression;
  /** in just that way; else the form in which it came from a registry is as good, where the place has or takes that */
  exact: boolean;
}

/** A layer on its way here from another engine. */
export interface GivenLayer {
  diffId: string;
  /** of its tar, bytes */
  size: number;
  /** the byte of the tar that `source` begins with */
  from: number;
  /** the tar from there on, by zstd */
  source: AsyncIterable<Uint8Array>;
  signal: AbortSignal;
}

export interface PullRequest {
  /** without tag and digest: latest, or all tags */
  reference: Reference;
  allTags: boolean;
  /** "linux/arm64" …; the host's where absent */
  platform?: string;
  /** give it no tag, but the digest of its own platform's manifest alone */
  untagged?: boolean;
  /** where it comes from instead of its registry (an OCI layout): it gets no name then */
  sources?: readonly Repository[];
  /** told of each image that is here then */
  arrived?: (image: Image) => void;
  credentials?: Credentials;
  signal: AbortSignal;
}

export interface Images {
  /** By id, unique id prefix, or reference (tag defaults to latest). `notFound`: "No such image: x:latest". */
  resolve(reference: string): Image;
  byId(id: string): Image | undefined;
  /** Whether a reference names this image now (for `ps`, which shows the id once a tag moved away). */
  isNamed(reference: string, id: string): boolean;
  /** Familiar names: tags, and digests (`name@sha256:…`). */
  names(id: string): { tags: string[]; digests: string[] };

  import(request: ImportRequest): Promise<Image>;
  /** Yields progress (`Loaded image: …`); errors before the first message reject, later ones are thrown in turn. */
  load(request: LoadRequest): AsyncIterable<JsonMessage>;
  /** The images as one tar: OCI layout and docker archive in one. Rejects before the first byte, or fails the stream. */
  save(request: SaveRequest): Promise<AsyncIterable<Uint8Array>>;
  /** The same of images that need not be here by id (a build's results); whoever asks holds their layers. */
  archive(
    images: readonly { config: ImageConfig; references: readonly string[] }[],
  ): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Brings an image from its registry, or only asks whether it changed. Yields progress as Docker tells it; errors before
   * the first message reject, later ones are thrown in turn.
   */
  pull(request: PullRequest): AsyncIterable<JsonMessage>;
  /** Sends images to their registry. Yields progress as Docker tells it; every error is thrown after the first message. */
  push(request: PushRequest): AsyncIterable<JsonMessage>;
  /**
   * Brings a layer that some description names (a build cache), verified by its digest and its diff id; what is here
   * costs nothing. The caller's lease holds it.
   */
  bringLayer(request: LayerTransfer & { blob: Descriptor; sources: readonly Repository[] }): Promise<void>;
  /** Sends a layer that is here, where the place has not got it; answers the form it has there. */
  sendLayer(request: LayerTransfer & { target: Repository; form?: AskedForm }): Promise<Descriptor>;
  /** An image of a registry without its layers, which stay there: nothing is kept. */
  remoteImage(request: RemoteRequest & { platform: string }): Promise<RemoteImage>;
  /** What a registry has under a name: its digest, and the platforms. Nothing is kept. */
  describeRemote(request: RemoteRequest): Promise<DistributionInspect>;
  /** A manifest or index of a registry as it is, with the platform where it is one image's. */
  remoteManifest(request: RemoteRequest): Promise<RemoteManifest & { platform: Platform | undefined }>;
  /** Puts a manifest or index at a registry, by its tag or else its digest, which it answers. */
  putRemoteManifest(request: PutRequest): Promise<string>;
  /** What refers to a manifest of a registry (signatures, SBOMs …), of one type where it is given. */
  remoteReferrers(
    request: RemoteRequest & { artifactType?: string },
  ): Promise<{ digest: string; referrers: Descriptor[] }>;
  tag(source: string, reference: string): void;
  /** `users`: containers by image id, to refuse what is in use as Docker does. */
  remove(
    reference: string,
    options: {
      force: boolean;
      prune: boolean;
      users: (imageId: string) => ImageUser[];
      platforms?: readonly string[];
    },
  ): Promise<ImageDeleteItem[]>;
  list(
    options: { all: boolean; filters: Map<string, string[]>; sharedSize: boolean },
    users: (imageId: string) => number,
  ): ImageSummary[];
  /** `platform` as the API has it: `notFound` where the image is of another. */
  inspect(reference: string, platform?: string): ImageInspect;
  history(reference: string, platform?: string): ImageHistoryItem[];
  /** Adds an image made elsewhere (commit, build), with its names: layers must exist. */
  add(
    config: ImageConfig,
    options?: { parent?: string; reference?: string; references?: readonly string[] },
  ): Image;
  /** Which of these layers are here, or how much of them. */
  layerStates(diffIds: readonly string[]): Promise<LayerState[]>;
  /** For another engine: the layer's tar from a byte on, by zstd. `notFound` where it is not here. */
  giveLayer(diffId: string, from: number): AsyncIterable<Uint8Array>;
  /** A layer that another engine gives so; what came of one that broke off is kept. `conflict`: begin elsewhere. */
  takeLayer(given: GivenLayer): Promise<void>;
  count(): number;
  /** Writes down what waits to be written. */
  close(): void;

  /** Lines of JSON (`types/image-report.ts`): the image, then what each of its layers does to those below. */
  layers(name: string, options: { files: boolean }): AsyncIterable<Uint8Array>;
  /** Lines of JSON (`DifferenceLine`): what differs between two images' files. */
  compare(before: string, after: string): AsyncIterable<Uint8Array>;
  /** Makes one layer of those above a base, in a new image. */
  squash(request: SquashRequest): Promise<Image>;
  /** Reads all layers and configurations again; with `repair` pulls what is damaged. */
  verify(request: VerifyRequest): AsyncIterable<VerifyLine>;
  /** Keeps an image from every prune and policy; gives its id. Removing it then needs force. */
  pin(name: string): string;
  unpin(name: string): string;
  isPinned(id: string): boolean;
  /** A container was made of it. */
  touch(id: string): void;
  /** When it was last used or named, or else made; milliseconds since the epoch. */
  lastUsed(id: string): number;
  /** Deletes layers that no image, no container (diff ids in `keep`) and no lease holds. */
  collect(keep: ReadonlySet<string>, options?: CollectOptions): Promise<{ layers: string[]; bytes: number }>;
}

export interface CollectOptions {
  /** only what was made that long ago */
  unusedForMs?: number;
  /** the kept beginnings of downloads, too, that none is going on with */
  beginnings?: boolean;
}

export interface ImageUser {
  containerId: string;
  running: boolean;
}
