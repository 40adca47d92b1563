/**
 * Content: bytes by their SHA-256. A blob is there whole and verified, or not at all: it is written to a temporary
 * file, hashed while it streams, synced and renamed. Ingesting what is already there and removing what is not are both
 * successes. Digests are `sha256:<64 lower-case hex>`; sizes are bytes.
 */
export interface BlobInfo {
  digest: string;
  size: number;
}

export interface IngestOptions {
  /** refuse (kind `invalid`) when the bytes have another digest or size */
  digest?: string;
  size?: number;
  /** refuse (kind `tooLarge`) past this many bytes */
  limit?: number;
  signal?: AbortSignal;
}

export interface ContentStore {
  stat(digest: string): Promise<BlobInfo | undefined>;
  ingest(bytes: AsyncIterable<Uint8Array>, options?: IngestOptions): Promise<BlobInfo>;
  /** Streams a blob, or the part [start, end) of it. `notFound` where it is missing. */
  open(digest: string, range?: { start: number; end?: number }): ReadableStream<Uint8Array>;
  /** A small blob whole: `tooLarge` past `limit` bytes; verified against its digest. */
  read(digest: string, limit: number): Promise<Uint8Array<ArrayBuffer>>;
  remove(digest: string): Promise<void>;
  list(): AsyncIterable<BlobInfo>;
  /**
   * Opens the kept beginning of a blob. While somebody writes to it already, the next gets one of its own,
   * which begins empty and is not kept.
   */
  partial(digest: string): Promise<PartialBlob>;
  /** Bytes of the kept beginning of a blob: 0 where there is none. While it is written more may come. */
  partialSize(digest: string): Promise<number>;
  /** Deletes kept beginnings that nobody wrote to for that long, and has not open; tells the bytes. */
  sweepPartials(unusedMs: number): Promise<number>;
  /** Removes temporary files that no ingestion of this process is writing (at the engine's start). */
  sweep(): Promise<void>;
}

/**
 * The beginning of a blob that is being downloaded, kept so that a download goes on where it stopped, also after a crash.
 * What it holds is not verified.
 */
export interface PartialBlob {
  /** bytes that are there */
  readonly size: number;
  /** Reads what was there when it was opened. */
  read(): AsyncIterable<Uint8Array>;
  /** Keeps more bytes: a copy of them, which may be on its way to the file when it resolves. Nothing once it has ended. */
  append(bytes: Uint8Array): Promise<void>;
  /** Ends the writing; what is there stays. */
  close(): Promise<void>;
  /** Ends it, and deletes what is there; nothing once it has ended. */
  discard(): Promise<void>;
}
