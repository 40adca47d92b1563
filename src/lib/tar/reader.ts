import {
  badHeader,
  blockSize,
  type Extent,
  extendedHeaderMax,
  extentsMax,
  paddingOf,
  type TarEntry,
  truncated,
} from "./entry.ts";
import { type Overrides, parseHeader, type RawHeader, type ReadEntry, toEntry } from "./header.ts";
import { parseNumber } from "./numbers.ts";
import { parsePax } from "./pax.ts";
import { checkExtents, MapInData, parseGnuExtents } from "./sparse.ts";

/** What a reader tells, in the archive's order, while `push` runs. Byte arrays are only lent. */
export interface TarListener {
  /** a complete entry; its content (if any) follows as `data`, then `end` */
  entry(entry: TarEntry): void;
  data(bytes: Uint8Array): void;
  end(): void;
  /** every byte that is not told as `data`: headers, padding, end marker and what follows it */
  raw?(bytes: Uint8Array): void;
}

/** Bytes that may follow the archive's end marker. */
const trailerMax = 64 * 1024 * 1024;

/**
 * Reads a tar archive from pieces of any size, synchronously and in bounded memory: ustar, pax, GNU and old formats.
 * Call `push` with each piece, then `finish`. Throws `invalid` at the first wrong byte; the reader is then of no use.
 */
export class TarReader {
  private readonly listener: TarListener;
  /** the block (or short run of blocks) being gathered, across pieces */
  private readonly partial = Buffer.allocUnsafe(blockSize);
  private partialLength = 0;
  private state: "header" | "extended" | "extents" | "map" | "data" | "trailer" = "header";
  private zeroBlocks = 0;
  private trailer = 0;
  /** content bytes still to come, and padding after them */
  private remaining = 0;
  private padding = 0;
  private over: Overrides = noOverrides();
  private extended: { flag: string; parts: Buffer[] } | undefined;
  private pending: { read: ReadEntry; extents: Extent[]; map: MapInData; mapLength: number } | undefined;

  constructor(listener: TarListener) {
    this.listener = listener;
  }

  push(bytes: Uint8Array): void {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < piece.length; ) at += this.step(piece, at);
  }

  /** Passes over content whose bytes are elsewhere, as if they had been pushed; they are not told as `data`. */
  skip(length: number): void {
    if (this.state !== "data" || length > this.remaining) throw badHeader("content where none belongs");
    this.remaining -= length;
    if (this.remaining === 0 && this.padding === 0) this.contentEnds();
  }

  /**
   * Throws `unexpected EOF` where the archive ends inside an entry. The end marker and the last padding may be missing,
   * as in Go.
   */
  finish(): void {
    if (this.state === "data" && this.remaining === 0) this.contentEnds();
    const between = this.state === "header" && this.partialLength === 0 && isEmpty(this.over);
    if (!between && this.state !== "trailer") throw truncated();
  }

  /** Takes some bytes from `at` on and returns how many. */
  private step(piece: Buffer, at: number): number {
    if (this.state === "data") return this.content(piece, at, (part) => this.listener.data(part));
    if (this.state === "extended")
      return this.content(piece, at, (part) => {
        this.listener.raw?.(part);
        this.extended?.parts.push(Buffer.from(part));
      });
    if (this.state === "trailer") return this.afterEnd(piece, at);
    return this.block(piece, at);
  }

  private content(piece: Buffer, at: number, tell: (part: Buffer) => void): number {
    if (this.remaining > 0) {
      const length = Math.min(this.remaining, piece.length - at);
      this.remaining -= length;
      tell(piece.subarray(at, at + length));
      if (this.remaining === 0 && this.padding === 0) this.contentEnds();
      return length;
    }
    const length = Math.min(this.padding, piece.length - at);
    this.padding -= length;
    this.listener.raw?.(piece.subarray(at, at + length));
    if (this.padding === 0) this.contentEnds();
    return length;
  }

  private contentEnds(): void {
    const wasData = this.state === "data";
    this.state = "header";
    if (wasData) this.listener.end();
    else this.extendedEnds();
  }

  private afterEnd(piece: Buffer, at: number): number {
    const rest = at === 0 ? piece : piece.subarray(at);
    this.trailer += rest.length;
    if (this.trailer > trailerMax) throw badHeader("too many bytes follow the end of the archive");
    this.listener.raw?.(rest);
    return rest.length;
  }

  /** Gathers one block, whole from the piece where it can, and handles it. */
  private block(piece: Buffer, at: number): number {
    if (this.partialLength === 0 && piece.length - at >= blockSize) {
      this.handle(piece.subarray(at, at + blockSize));
      return blockSize;
    }
    const length = Math.min(blockSize - this.partialLength, piece.length - at);
    piece.copy(this.partial, this.partialLength, at, at + length);
    this.partialLength += length;
    if (this.partialLength === blockSize) {
      this.partialLength = 0;
      this.handle(this.partial);
    }
    return length;
  }

  private handle(block: Buffer): void {
    this.listener.raw?.(block);
    if (this.state === "extents") this.moreExtents(block);
    else if (this.state === "map") this.moreMap(block);
    else if (isZero(block)) {
      if (!isEmpty(this.over)) throw badHeader("an extended header belongs to no entry");
      if (++this.zeroBlocks === 2) this.state = "trailer";
    } else if (this.zeroBlocks > 0) throw badHeader("data follow an empty block");
    else this.header(parseHeader(block), block);
  }

  private header(header: RawHeader, block: Buffer): void {
    if ("xgLK".includes(header.typeFlag)) {
      if (header.size > extendedHeaderMax)
        throw badHeader(
          `an extended header of ${header.size} bytes is over the limit of ${extendedHeaderMax}`,
        );
      this.extended = { flag: header.typeFlag, parts: [] };
      this.begin("extended", header.size);
      if (header.size === 0) this.contentEnds();
      return;
    }
    const over = this.over;
    this.over = noOverrides();
    const read = toEntry(header, over);
    this.pending = { read, extents: [], map: new MapInData(), mapLength: 0 };
    if (header.typeFlag === "S") this.oldSparse(block);
    else if (read.sparse === "inData") this.state = "map";
    else this.tell(read.sparse, read.dataSize);
  }

  private begin(state: "data" | "extended", size: number): void {
    this.state = state;
    this.remaining = size;
    this.padding = paddingOf(size);
  }

  private oldSparse(block: Buffer): void {
    const pending = this.pending;
    if (pending === undefined) return;
    pending.read.entry.size = parseNumber(block, 483, 12);
    parseGnuExtents(block, 386, 4, pending.extents);
    if (block[482]) this.state = "extents";
    else this.tell(pending.extents, pending.read.dataSize);
  }

  private moreExtents(block: Buffer): void {
    const pending = this.pending;
    if (pending === undefined) return;
    parseGnuExtents(block, 0, 21, pending.extents);
    if (pending.extents.length > extentsMax) throw badHeader("a sparse file has too many parts");
    if (!block[504]) this.tell(pending.extents, pending.read.dataSize);
  }

  private moreMap(block: Buffer): void {
    const pending = this.pending;
    if (pending === undefined) return;
    pending.mapLength += blockSize;
    if (pending.mapLength > pending.read.dataSize) throw badHeader("a sparse map is malformed");
    if (pending.map.push(block)) this.tell(pending.map.extents(), pending.read.dataSize - pending.mapLength);
  }

  /** Everything about the entry is known: tells it, and turns to its content. */
  private tell(sparse: Extent[] | "inData" | undefined, dataSize: number): void {
    const pending = this.pending;
    this.pending = undefined;
    if (pending === undefined || sparse === "inData") return;
    const entry = pending.read.entry;
    if (sparse !== undefined) {
      checkExtents(sparse, entry.size, dataSize);
      entry.sparse = sparse.filter(({ length }) => length > 0);
    }
    this.state = "header";
    this.listener.entry(entry);
    if (dataSize > 0) this.begin("data", dataSize);
    else this.listener.end();
  }

  private extendedEnds(): void {
    const extended = this.extended;
    this.extended = undefined;
    if (extended === undefined) return;
    const bytes = Buffer.concat(extended.parts);
    if (extended.flag === "L") this.over.longName = untilNul(bytes);
    else if (extended.flag === "K") this.over.longLink = untilNul(bytes);
    // global ones ("g") are read over, as by Go's archive/tar: an image's files are the same for every engine
    else for (const [key, value] of parsePax(bytes)) if (extended.flag === "x") this.record(key, value);
  }

  private record(key: string, value: string): void {
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") this.over.sparseNumbers.push(value);
    else if (value === "") this.over.records.delete(key);
    else this.over.records.set(key, value);
  }
}

const noOverrides = (): Overrides => ({ records: new Map(), sparseNumbers: [] });
const isEmpty = (over: Overrides): boolean =>
  over.records.size === 0 && over.longName === undefined && over.longLink === undefined;

const zeroBlock = Buffer.alloc(blockSize);
const isZero = (block: Buffer): boolean => block[0] === 0 && block.equals(zeroBlock);

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end < 0 ? bytes.length : end);
}
