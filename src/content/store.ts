import { createHash, type Hash } from "node:crypto";
import { createReadStream, mkdirSync } from "node:fs";
import { type FileHandle, open, opendir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { EngineError } from "../lib/errors.ts";
import { newId } from "../lib/ids.ts";
import type { BlobInfo, ContentStore, IngestOptions, PartialBlob } from "./contract.ts";
import { openPartial, partialSize, sweepPartials, UnkeptPartial } from "./partial.ts";

const digestPattern = /^sha256:([0-9a-f]{64})$/;
const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === "ENOENT";

/** Opens (and makes) the store below a data root: `content/sha256/<hex>`, `content/tmp` for what is being written, `content/partial/<hex>` for beginnings. */
export function openContent(dataRoot: string): ContentStore {
  const folder = join(dataRoot, "content");
  for (const name of ["sha256", "tmp", "partial"])
    mkdirSync(join(folder, name), { recursive: true, mode: 0o710 });
  return new FileStore(folder);
}

class FileStore implements ContentStore {
  private readonly blobs: string;
  private readonly temporary: string;
  private readonly partials: string;
  /** names in `temporary` that this process is writing */
  private readonly writing = new Set<string>();
  /** paths of beginnings that have a writer */
  private readonly partialsOpen = new Set<string>();

  constructor(folder: string) {
    this.blobs = join(folder, "sha256");
    this.temporary = join(folder, "tmp");
    this.partials = join(folder, "partial");
  }

  async stat(digest: string): Promise<BlobInfo | undefined> {
    try {
      return { digest, size: (await stat(this.path(digest))).size };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async ingest(bytes: AsyncIterable<Uint8Array>, options: IngestOptions = {}): Promise<BlobInfo> {
    if (options.digest !== undefined) this.path(options.digest); // refuses a malformed one before the first byte
    const name = newId();
    const file = join(this.temporary, name);
    this.writing.add(name);
    try {
      const info = await writeBlob(file, bytes, options);
      await this.adopt(file, info.digest);
      return info;
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      this.writing.delete(name);
    }
  }

  open(digest: string, range: { start: number; end?: number } = { start: 0 }): ReadableStream<Uint8Array> {
    const path = this.path(digest);
    const { start, end } = range;
    if (end !== undefined && end <= start) return new Blob([]).stream();
    const source = createReadStream(path, {
      start,
      ...(end === undefined ? {} : { end: end - 1 }),
      highWaterMark: 256 * 1024,
    });
    const told = tellMissing(source, digest);
    return Readable.toWeb(Readable.from(told, { highWaterMark: 1 })) as unknown as ReadableStream<Uint8Array>;
  }

  async read(digest: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
    const info = await this.stat(digest);
    if (info === undefined) throw missing(digest);
    if (info.size > limit)
      throw new EngineError("tooLarge", `blob ${digest} has ${info.size} bytes, over the limit of ${limit}`);
    const bytes = new Uint8Array(await readFile(this.path(digest)));
    const found = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (found !== digest)
      throw new EngineError("internal", `blob ${digest} is damaged: its digest is ${found}`);
    return bytes;
  }

  async remove(digest: string): Promise<void> {
    await rm(this.path(digest), { force: true });
  }

  async *list(): AsyncIterable<BlobInfo> {
    for await (const { name } of await opendir(this.blobs)) {
      const info = /^[0-9a-f]{64}$/.test(name) ? await this.stat(`sha256:${name}`) : undefined;
      if (info !== undefined) yield info;
    }
  }

  async partialSize(digest: string): Promise<number> {
    return await partialSize(this.partialPath(digest));
  }

  async partial(digest: string): Promise<PartialBlob> {
    const path = this.partialPath(digest);
    if (this.partialsOpen.has(path)) return new UnkeptPartial();
    this.partialsOpen.add(path);
    const over = (): void => void this.partialsOpen.delete(path);
    try {
      return await openPartial(path, over);
    } catch (error) {
      over();
      throw error;
    }
  }

  private partialPath(digest: string): string {
    return join(this.partials, basename(this.path(digest)));
  }

  sweepPartials(unusedMs: number): Promise<number> {
    return sweepPartials(this.partials, Date.now() - unusedMs, this.partialsOpen);
  }

  async sweep(): Promise<void> {
    for await (const { name } of await opendir(this.temporary))
      if (!this.writing.has(name)) await rm(join(this.temporary, name), { force: true, recursive: true });
  }

  /** The only place that makes a path of a digest. */
  private path(digest: string): string {
    const hex = digestPattern.exec(digest)?.[1];
    if (hex === undefined)
      throw new EngineError("invalid", `${JSON.stringify(digest.slice(0, 100))} is not a sha256 digest`);
    return join(this.blobs, hex);
  }

  private async adopt(file: string, digest: string): Promise<void> {
    await rename(file, this.path(digest));
    const folder = await open(this.blobs, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

async function writeBlob(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  options: IngestOptions,
): Promise<BlobInfo> {
  const file = await open(path, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    const size = await copy(file, hash, bytes, options);
    const digest = `sha256:${hash.digest("hex")}`;
    if (options.size !== undefined && options.size !== size)
      throw new EngineError("invalid", `the blob has ${size} bytes, not ${options.size}`);
    if (options.digest !== undefined && options.digest !== digest)
      throw new EngineError("invalid", `the blob is ${digest}, not ${options.digest}`);
    await file.sync();
    return { digest, size };
  } finally {
    await file.close();
  }
}

async function copy(
  file: FileHandle,
  hash: Hash,
  bytes: AsyncIterable<Uint8Array>,
  { size: expected, limit = Number.POSITIVE_INFINITY, signal }: IngestOptions,
): Promise<number> {
  let size = 0;
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    size += chunk.length;
    if (size > limit) throw new EngineError("tooLarge", `the blob has over ${limit} bytes`);
    if (expected !== undefined && size > expected)
      throw new EngineError("invalid", `the blob has over ${expected} bytes`);
    hash.update(chunk);
    for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
  }
  signal?.throwIfAborted();
  return size;
}

async function* tellMissing(source: AsyncIterable<Uint8Array>, digest: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const bytes of source) yield bytes;
  } catch (error) {
    throw isMissing(error) ? missing(digest) : error;
  }
}

const missing = (digest: string): EngineError => new EngineError("notFound", `blob ${digest} does not exist`);
