import { EngineError } from "../lib/errors.ts";
import { close, cwdFd, flags, must, openRaw, readAtRaw, toBytes, writeAll } from "../system/files/at.ts";

/**
 * The record of a layer: what its folder does not tell of the tar it came from, so that the very same bytes (and so
 * the same digest) can be written again. It is a run of frames, in the tar's order:
 *
 *     0x01  u32 length  bytes                            bytes as they were (headers, padding, end marker)
 *     0x02  u16 length  path  f64 offset  f64 length     part of a regular file's content
 *
 * cut into blocks, each `u32 length` and that many bytes of zstd. A name that a later entry of the same archive took
 * is kept in `replaced/<number>`; `replaced.json` lists at which count of 0x02 frames which path went there.
 */
export const recordFile = "tar-record";
export const replacedFolder = "replaced";
export const replacedFile = "replaced.json";

export interface Replacement {
  /** 0x02 frames before it meant the replaced file */
  before: number;
  path: string;
  number: number;
}

export type Frame =
  | { bytes: Buffer; path?: undefined }
  | { path: string; offset: number; length: number; bytes?: undefined };

const blockMax = 256 * 1024;
const rawFrame = 1;
const fileFrame = 2;

export class RecordWriter {
  /** -1 once closed */
  private fd: number;
  private readonly block = Buffer.allocUnsafe(blockMax);
  private length = 0;
  /** where the raw frame being filled keeps its length; -1 = none is open */
  private openRawAt = -1;
  private readonly lengthField = Buffer.alloc(4);
  /** bytes given to `raw` */
  rawBytes = 0;
  fileFrames = 0;
  /** bytes of the tar told so far */
  tarSize = 0;

  constructor(path: string) {
    this.fd = must(
      openRaw(cwdFd, toBytes(path), flags.writeOnly | flags.create | flags.exclusive, 0o600),
      () => `make ${path}`,
    );
  }

  raw(bytes: Uint8Array): void {
    this.rawBytes += bytes.length;
    this.tarSize += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      if (this.length + 6 > blockMax) this.flush();
      if (this.openRawAt < 0) {
        this.block[this.length] = rawFrame;
        this.openRawAt = this.length + 1;
        this.length += 5;
      }
      const part = Math.min(blockMax - this.length, bytes.length - at);
      this.block.set(at === 0 && part === bytes.length ? bytes : bytes.subarray(at, at + part), this.length);
      this.length += part;
      at += part;
    }
  }

  file(path: string, offset: number, length: number): void {
    if (this.length + 19 + path.length > blockMax) this.flush();
    this.closeRaw();
    this.block[this.length] = fileFrame;
    this.block.writeUInt16LE(path.length, this.length + 1);
    this.block.write(path, this.length + 3, "latin1");
    this.block.writeDoubleLE(offset, this.length + 3 + path.length);
    this.block.writeDoubleLE(length, this.length + 11 + path.length);
    this.length += 19 + path.length;
    this.fileFrames++;
    this.tarSize += length;
  }

  finish(): void {
    this.flush();
    this.close();
  }

  /** May be called again: a number that was closed may be another file's by then, of another thread even. */
  close(): void {
    if (this.fd >= 0) close(this.fd);
    this.fd = -1;
  }

  private closeRaw(): void {
    if (this.openRawAt >= 0) this.block.writeUInt32LE(this.length - this.openRawAt - 4, this.openRawAt);
    this.openRawAt = -1;
  }

  private flush(): void {
    this.closeRaw();
    if (this.length === 0) return;
    const packed = Bun.zstdCompressSync(this.block.subarray(0, this.length), { level: 1 });
    this.lengthField.writeUInt32LE(packed.length);
    writeAll(this.fd, this.lengthField, () => "write the record of a layer");
    writeAll(this.fd, packed, () => "write the record of a layer");
    this.length = 0;
  }
}

/** Bytes of the tar that a record tells of. */
export function tarSizeOf(path: string): number {
  let size = 0;
  for (const frame of readRecord(path)) size += frame.path === undefined ? frame.bytes.length : frame.length;
  return size;
}

/** The frames of a record, in order. Throws `internal` where it is damaged. */
export function* readRecord(path: string): Generator<Frame> {
  const fd = must(openRaw(cwdFd, toBytes(path), flags.readOnly), () => `open ${path}`);
  try {
    let position = 0;
    const read = (length: number): Buffer | undefined => {
      const into = Buffer.allocUnsafe(length);
      const got = readFull(fd, into, position);
      position += got;
      if (got === 0) return undefined;
      if (got < length) throw damaged(path);
      return into;
    };
    for (let head = read(4); head !== undefined; head = read(4)) {
      const length = head.readUInt32LE();
      const packed = length > 0 && length <= 2 * blockMax ? read(length) : undefined;
      if (packed === undefined) throw damaged(path);
      yield* frames(Bun.zstdDecompressSync(packed), path);
    }
  } finally {
    close(fd);
  }
}

function* frames(block: Buffer, path: string): Generator<Frame> {
  for (let at = 0; at < block.length; ) {
    if (block[at] === rawFrame) {
      const end = at + 5 + block.readUInt32LE(at + 1);
      yield { bytes: block.subarray(at + 5, end) };
      at = end;
    } else if (block[at] === fileFrame) {
      const end = at + 3 + block.readUInt16LE(at + 1);
      yield {
        path: block.toString("latin1", at + 3, end),
        offset: block.readDoubleLE(end),
        length: block.readDoubleLE(end + 8),
      };
      at = end + 16;
    } else throw damaged(path);
  }
}

const damaged = (path: string): EngineError => new EngineError("internal", `the record ${path} is damaged`);

export function readFull(fd: number, into: Buffer, position: number): number {
  let got = 0;
  while (got < into.length) {
    const count = must(
      readAtRaw(fd, got === 0 ? into : into.subarray(got), position + got),
      () => "read a layer",
    );
    if (count === 0) break;
    got += count;
  }
  return got;
}
