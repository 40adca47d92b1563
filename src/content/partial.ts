import { createReadStream } from "node:fs";
import { type FileHandle, open, opendir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { PartialBlob } from "./contract.ts";

/** Pieces are gathered to writes of this size: a crash loses that much of a download at most. */
const gatherBytes = 1024 * 1024;

/** `over` is told when its writer is done with it. */
export async function openPartial(path: string, over: () => void): Promise<PartialBlob> {
  const file = await open(path, "a", 0o600);
  return new PartialFile({ path, file, over }, (await file.stat()).size);
}

interface PartialParts {
  path: string;
  file: FileHandle;
  over: () => void;
}

class PartialFile implements PartialBlob {
  size: number;
  private readonly path: string;
  private readonly file: FileHandle;
  private readonly over: () => void;
  private readonly before: number;
  private gathered: Uint8Array[] = [];
  private gatheredBytes = 0;
  private writing: Promise<void> = Promise.resolve();
  private closed = false;

  constructor({ path, file, over }: PartialParts, size: number) {
    this.path = path;
    this.file = file;
    this.over = over;
    this.size = size;
    this.before = size;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    if (this.before === 0) return;
    yield* createReadStream(this.path, {
      end: this.before - 1,
      highWaterMark: gatherBytes,
    }) as AsyncIterable<Uint8Array>;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.gathered.push(bytes);
    this.gatheredBytes += bytes.length;
    this.size += bytes.length;
    if (this.gatheredBytes < gatherBytes) return;
    await this.writing;
    this.writing = this.flush();
    this.writing.catch(() => undefined); // told by the next who waits for it
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      await this.writing;
      await this.flush();
    } finally {
      await this.file.close().finally(this.over);
    }
  }

  async discard(): Promise<void> {
    await rm(this.path, { force: true });
    if (this.closed) return;
    this.closed = true;
    await this.writing.catch(() => undefined); // what could not be written is not wanted any more
    await this.file.close().finally(this.over);
  }

  private async flush(): Promise<void> {
    const pieces = this.gathered;
    const total = this.gatheredBytes;
    this.gathered = [];
    this.gatheredBytes = 0;
    if (total === 0) return;
    let { bytesWritten: written } = await this.file.writev(pieces);
    for (const piece of pieces) {
      const part = Math.min(written, piece.length);
      written -= part;
      // the kernel may take less than it was given
      for (let at = part; at < piece.length; ) at += (await this.file.write(piece, at)).bytesWritten;
    }
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

export async function sweepPartials(folder: string, before: number): Promise<void> {
  for await (const { name } of await opendir(folder)) {
    const path = join(folder, name);
    if ((await stat(path)).mtimeMs < before) await rm(path, { force: true, recursive: true });
  }
}
