import { setImmediate } from "node:timers/promises";
import type { TarEntry } from "../../lib/tar/entry.ts";
import { endOfArchive, headerOf, padding } from "../../lib/tar/writer.ts";
import type { RecordWriter } from "../record.ts";
import type { ApplyResult } from "./apply.ts";
import { contentOf } from "./diff.ts";
import { TarHash } from "./tar-hash.ts";

/** Bytes between two moments in which the worker's other sessions get on. */
const pauseEvery = 32 * 1024 * 1024;
const buffer = Buffer.allocUnsafe(512 * 1024);

/** What a layer's tar came to. */
type TarSums = Pick<ApplyResult, "diffId" | "checksum" | "tarSize">;

/** Hashes a layer's tar while it is made, and tells the record what no file holds. */
export class TarBuilder {
  private readonly hash = new TarHash();
  private readonly record: RecordWriter;
  private sincePause = 0;
  private padding = 0;

  constructor(record: RecordWriter) {
    this.record = record;
  }

  header(entry: TarEntry): void {
    this.raw(padding(this.padding));
    this.padding = 0;
    this.raw(headerOf(entry));
  }

  /** The content that follows the header, from a file. The bytes are only lent. */
  *content(fd: number, size: number): Generator<Buffer> {
    this.padding = size;
    for (const bytes of contentOf(fd, size, (length) => buffer.subarray(0, length))) {
      this.hash.update(bytes);
      yield bytes;
    }
  }

  /** All of the content that follows the header. */
  bytes(bytes: Uint8Array): void {
    this.padding = bytes.length;
    this.hash.update(bytes);
  }

  /** Lets other sessions of this worker get on, now and then. */
  async pause(bytes: number): Promise<void> {
    this.sincePause += bytes;
    if (this.sincePause < pauseEvery) return;
    this.sincePause = 0;
    await setImmediate();
  }

  finish(): TarSums {
    this.raw(padding(this.padding));
    this.raw(endOfArchive);
    this.record.finish();
    return { ...this.hash.finish(), tarSize: this.record.tarSize };
  }

  private raw(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.hash.update(bytes);
    this.record.raw(bytes);
  }
}
