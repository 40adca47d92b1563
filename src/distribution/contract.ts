import type { Reference } from "../lib/image/reference.ts";
import type { Descriptor } from "../types/oci.ts";

/**
 * Distribution: registries by OCI distribution 1.1 and Docker's registry API (version 2). It gives streams and values
 * and stores nothing; what is made of them is the images' business.
 *
 * A *repository* here is one repository at one *endpoint*: the registry its name tells (the origin), or a mirror of it.
 * Endpoints are asked on first use; what a request may do there is its *scope* (`pull`, or `push` with it), for which
 * the authorizer gets tokens, and new ones when they run out. Everything stops with `access.signal`, and by itself
 * when a registry stands still. Bytes from a registry are not verified here, but for manifests, which are small.
 */
export interface Distribution {
  /** Where to pull from: the mirrors in their order, then the origin. */
  sources(reference: Reference, access: Access): Repository[];
  /** Where to push to: the origin. */
  target(reference: Reference, access: Access): Repository;
  /** Asks the origin whether it is there and how; that is remembered, so that nothing is asked twice. */
  reach(reference: Reference, signal: AbortSignal): Promise<void>;
  /** What names the manifest of this digest as its subject, of one type where it is given; none is no error. */
  referrers(
    place: { reference: Reference; digest: string; artifactType?: string },
    access: Access,
  ): Promise<Descriptor[]>;
  /** Checks credentials. `internal` where they are refused, as Docker has it. */
  login(server: string, credentials: Credentials, signal: AbortSignal): Promise<LoginResult>;
  search(request: SearchRequest): Promise<SearchResults>;
  /** The options may change while the engine runs. */
  configure(options: DistributionOptions): void;
  readonly options: DistributionOptions;
}

export interface Access {
  credentials?: Credentials;
  signal: AbortSignal;
}

/** What a client knows of itself for one registry: a password, or one of two kinds of token. */
export interface Credentials {
  username?: string;
  password?: string;
  /** buys access tokens from the registry's token server */
  identityToken?: string;
  /** is the access token */
  registryToken?: string;
}

export interface RemoteManifest {
  mediaType: string;
  /** of `bytes`, which were found to have it where it was asked for */
  digest: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** What blobs are read from. */
export interface BlobSource {
  /** `https://registry-1.docker.io` */
  readonly endpoint: string;
  /** The blob from byte `offset` on, as far as the registry can: see where `start` is. */
  blob(digest: string, offset: number, signal?: AbortSignal): Promise<BlobPart>;
}

export interface Repository extends BlobSource {
  readonly isMirror: boolean;
  /** By tag or digest. `notFound` with the registry's sentence where it has none. */
  manifest(tagOrDigest: string): Promise<RemoteManifest>;
  /** What a tag names, without its content (a HEAD); undefined where the registry does not tell. */
  head(tagOrDigest: string): Promise<Descriptor | undefined>;
  tags(): AsyncIterable<string>;
  /** Size of a blob; undefined where the registry has none of that digest. */
  blobSize(digest: string): Promise<number | undefined>;
  /** Asks for a blob of another repository of this registry: true once it is here too. */
  mount(digest: string, from: string): Promise<boolean>;
  /** Uploads a blob. `source` gives its bytes from an offset on, and may be asked again after a failure. */
  upload(request: UploadRequest): Promise<void>;
  putManifest(tagOrDigest: string, mediaType: string, bytes: Uint8Array<ArrayBuffer>): Promise<PutResult>;
}

export interface BlobPart {
  /** of the first byte of `bytes` in the blob: the offset asked for, or 0 where the registry serves no parts */
  start: number;
  bytes: AsyncIterable<Uint8Array>;
}

export interface UploadRequest {
  /** known once the bytes were made, or before, where the size is given */
  digest: () => string;
  /** undefined = as long as the source gives */
  size?: number;
  source(offset: number): AsyncIterable<Uint8Array>;
  /** bytes the registry has got */
  progress?: (bytes: number) => void;
  signal?: AbortSignal;
}

export interface PutResult {
  digest: string;
  /** texts of `Warning` headers, and what else went wrong beside the push itself */
  warnings: string[];
}

export interface LoginResult {
  status: string;
  /** to be kept in place of the password; "" = none */
  identityToken: string;
}

export interface SearchRequest {
  term: string;
  limit: number;
  credentials?: Credentials;
  signal: AbortSignal;
}

export interface SearchResult {
  name: string;
  description: string;
  star_count: number;
  is_official: boolean;
  is_automated: boolean;
}

export interface SearchResults {
  results: SearchResult[];
}

/** The engine's options about registries. */
export interface DistributionOptions {
  /** `host`, `host:port` or a network: no verified TLS, or none at all */
  insecureRegistries: readonly string[];
  /** registry host → its mirrors, URLs in the order they are tried; "docker.io" is the Hub */
  mirrors: Readonly<Record<string, readonly string[]>>;
  proxies: Proxies;
  /** folders with `<host[:port]>/{*.crt,*.cert,*.key}`, all of them looked at */
  certificateFolders: readonly string[];
  /** milliseconds a registry may stand still before it is given up */
  stallMs: number;
  /** "berth/0.1.0 …" */
  userAgent: string;
}

/** "" = none */
export interface Proxies {
  http: string;
  https: string;
  /** as in NO_PROXY */
  exceptions: string;
}
