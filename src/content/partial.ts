import { createReadStream } from "node:fs";
import { type FileHandle, open, opendir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { PartialBlob } from "./contract.ts";

/** Pieces are gathered to writes of this size: a crash loses that much of a download at most. */
const gatherBytes = 1024 * 1024;

/** `over` is told when its writer is done with it. */
export async function openPartial(path: string, over: () => void): Promise<PartialBlob> {
  return new PartialFile(path, await partialSize(path), over);
}

export async function partialSize(path: string): Promise<number> {
  return (await stat(path).catch(unlessMissing)).size;
}

/** What is smaller than a write, and is not broken off, never makes a file. */
class PartialFile implements PartialBlob {
  size: number;
  private readonly path: string;
  private readonly before: number;
  private readonly over: () => void;
  private file: FileHandle | undefined;
  /** what is gathered, and what is being written: used in turn */
  private gathered: Buffer | undefined;
  private spare: Buffer | undefined;
  private gatheredBytes = 0;
  private writing: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(path: string, size: number, over: () => void) {
    this.path = path;
    this.size = size;
    this.before = size;
    this.over = over;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    if (this.before === 0) return;
    yield* createReadStream(this.path, {
      end: this.before - 1,
      highWaterMark: gatherBytes,
    }) as AsyncIterable<Uint8Array>;
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.closed; ) {
      this.gathered ??= Buffer.allocUnsafeSlow(gatherBytes);
      const part = Math.min(bytes.length - at, gatherBytes - this.gatheredBytes);
      this.gathered.set(bytes.subarray(at, at + part), this.gatheredBytes);
      this.gatheredBytes += part;
      this.size += part;
      at += part;
      if (this.gatheredBytes === gatherBytes) await this.turn();
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      await this.turn();
      await this.writing;
    } finally {
      await (this.file?.close() ?? Promise.resolve()).finally(this.over);
    }
  }

  async discard(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      for (let last: Promise<void> | undefined; last !== this.writing; ) {
        last = this.writing;
        await last.catch(() => undefined); // what could not be written is not wanted any more
      }
      await this.file?.close();
      if (this.before > 0 || this.file !== undefined) await rm(this.path, { force: true });
    } finally {
      this.over();
    }
  }

  /** Begins to write what is gathered, once the last is written. */
  private async turn(): Promise<void> {
    // an `append` that waits here while it is closed begins another
    for (let last: Promise<void> | undefined; last !== this.writing; ) {
      last = this.writing;
      await last;
    }
    const full = this.gathered;
    if (full === undefined) return;
    this.writing = this.write(full, this.gatheredBytes);
    this.writing.catch(() => undefined); // told by the next who waits for it
    this.gathered = this.spare;
    this.gatheredBytes = 0;
    this.spare = full;
  }

  private async write(bytes: Buffer, length: number): Promise<void> {
    if (length === 0) return;
    this.file ??= await open(this.path, "a", 0o600);
    // the kernel may take less than it was given
    for (let at = 0; at < length; ) at += (await this.file.write(bytes, at, length - at)).bytesWritten;
  }
}

/** Counts what it is given, and keeps none of it. */
export class UnkeptPartial implements PartialBlob {
  size = 0;

  async *read(): AsyncGenerator<Uint8Array> {
    // it has no beginning
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.size += bytes.length;
  }

  async close(): Promise<void> {
    // there is nothing to end
  }

  async discard(): Promise<void> {
    // there is nothing to delete
  }
}

export async function sweepPartials(
  folder: string,
  before: number,
  open: ReadonlySet<string>,
): Promise<number> {
  let bytes = 0;
  for await (const { name } of await opendir(folder)) {
    const path = join(folder, name);
    const { mtimeMs, size } = await stat(path).catch(unlessMissing);
    if (mtimeMs > before || open.has(path)) continue;
    await rm(path, { force: true, recursive: true });
    bytes += size;
  }
  return bytes;
}

/** One that is not there is empty; where it went just now it was recent. */
function unlessMissing(error: unknown): { mtimeMs: number; size: number } {
  if ((error as { code?: unknown }).code !== "ENOENT") throw error;
  return { mtimeMs: Number.POSITIVE_INFINITY, size: 0 };
}
