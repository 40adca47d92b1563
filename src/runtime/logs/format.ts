import { formatNs } from "../../lib/time/time.ts";
import { frameHeaderSize, writeFrameHeader } from "../attach/frames.ts";
import type { LogOptions } from "../contract.ts";
import { isComplete, isUtc, lineKind, lineTimeNs, newline, payloadAt, streamOf } from "./line.ts";

export type FormatOptions = Pick<
  LogOptions,
  "stdout" | "stderr" | "sinceNs" | "untilNs" | "timestamps" | "terminal" | "details" | "follow"
>;

/** pieces of a line without newline are joined up to this size, as Docker's are */
const joinSize = 16 * 1024;
/** a frame is not made longer than this */
const frameSize = 32 * 1024;
/** up to here each line has a frame of its own, as Docker's have; the bulk of a long log shares frames */
const separateSize = 64 * 1024;
/** `2026-11-22T05:37:41.369540465Z ` */
const stampSize = 31;

/** conmon's log in, what a client of `logs` gets out; in the order of the file, binary safe. Pure but for its state. */
export class LogFormatter {
  /** a line after `untilNs` was met: nothing more will come */
  done = false;
  private readonly options: FormatOptions;
  private readonly prefix: Uint8Array;
  /** an unfinished line of the file */
  private rest: Uint8Array = new Uint8Array(0);
  /** pieces of unfinished lines of the process, by stream */
  private readonly pending: [Uint8Array, Uint8Array, Uint8Array] = [empty, empty, empty];
  /** the beginning of the last such piece, with its time */
  private readonly pendingHead: [Uint8Array, Uint8Array, Uint8Array] = [empty, empty, empty];
  /** the line begun has its timestamp already */
  private readonly begun: [boolean, boolean, boolean] = [false, false, false];
  private out: Uint8Array = empty;
  private size = 0;
  private told = 0;
  /** where the header of the frame that may still grow is, and whose it is */
  private frame = -1;
  private frameStream = 0;

  constructor(options: FormatOptions) {
    this.options = options;
    this.prefix = options.details === undefined ? empty : Buffer.from(`${options.details} `);
  }

  /** Takes the next bytes of the file. What it gives is valid until the next call. */
  push(chunk: Uint8Array): Uint8Array {
    const bytes = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : bufferOf(chunk);
    this.begin(bytes.length + this.pending[1].length + this.pending[2].length);
    let at = 0;
    while (!this.done) {
      const end = bytes.indexOf(newline, at);
      if (end < 0) break;
      this.line(bytes, at, end);
      at = end + 1;
    }
    this.rest = at < bytes.length ? Uint8Array.from(bytes.subarray(at)) : empty;
    return this.finish();
  }

  /** What is left of lines that the process never ended. */
  end(): Uint8Array {
    this.begin(this.pending[1].length + this.pending[2].length);
    for (const stream of [1, 2] as const)
      if (this.pending[stream].length > 0) {
        const head = this.pendingHead[stream];
        this.write(stream, head, 0, head.length, head.length, false);
      }
    return this.finish();
  }

  private begin(inputSize: number): void {
    // every line has 45 bytes of its own, which is more than a frame header or a timestamp takes, but not both
    const lines = Math.ceil(inputSize / payloadAt) + 2;
    this.out = new Uint8Array(inputSize + lines * (frameHeaderSize + this.prefix.length) + 2 * stampSize);
    this.size = 0;
    this.frame = -1;
  }

  private finish(): Uint8Array {
    this.closeFrame();
    this.told += this.size;
    return this.out.subarray(0, this.size);
  }

  private line(bytes: Uint8Array, at: number, end: number): void {
    const kind = end - at < payloadAt ? 0 : lineKind(bytes, at);
    if (kind === 0) return; // cut off by a crash, or not conmon's
    const stream = streamOf(kind);
    if (!(stream === 1 ? this.options.stdout : this.options.stderr) || this.outside(bytes, at)) return;
    const complete = isComplete(kind);
    const payload = at + payloadAt;
    if (!complete && this.pending[stream].length + end - payload < joinSize) {
      this.pending[stream] = Buffer.concat([this.pending[stream], bytes.subarray(payload, end)]);
      this.pendingHead[stream] = Uint8Array.from(bytes.subarray(at, payload));
      return;
    }
    this.write(stream, bytes, at, payload, end, complete);
  }

  private outside(bytes: Uint8Array, at: number): boolean {
    const { sinceNs, untilNs } = this.options;
    if (sinceNs === undefined && untilNs === undefined) return false;
    const time = lineTimeNs(bytes, at);
    if (untilNs !== undefined && time > untilNs) this.done = true;
    return this.done || (sinceNs !== undefined && time < sinceNs);
  }

  /** Tells what is pending of a stream and `bytes[from..to)` as one line, or as the beginning of one. */
  private write(
    stream: 1 | 2,
    bytes: Uint8Array,
    at: number,
    from: number,
    to: number,
    complete: boolean,
  ): void {
    this.openFrame(stream);
    if (!this.begun[stream]) this.writePrefix(bytes, at);
    const before = this.pending[stream];
    if (before.length > 0) {
      this.append(before, 0, before.length);
      this.pending[stream] = empty;
    }
    this.append(bytes, from, to);
    if (complete) this.out[this.size++] = newline;
    this.begun[stream] = !complete;
  }

  private append(bytes: Uint8Array, from: number, to: number): void {
    const { out } = this;
    let { size } = this;
    if (to - from > 64) {
      out.set(bytes.subarray(from, to), size);
      size += to - from;
    } else for (let index = from; index < to; index++) out[size++] = bytes[index] ?? 0;
    this.size = size;
  }

  private writePrefix(bytes: Uint8Array, at: number): void {
    if (this.options.timestamps && bytes.length >= at + payloadAt) {
      if (isUtc(bytes, at)) this.append(bytes, at, at + 29);
      else this.append(Buffer.from(formatFixed(lineTimeNs(bytes, at))), 0, 29);
      this.out[this.size++] = 0x5a; // Z
      this.out[this.size++] = 0x20;
    }
    if (this.prefix.length > 0) this.append(this.prefix, 0, this.prefix.length);
  }

  private openFrame(stream: 1 | 2): void {
    if (this.options.terminal) return;
    const separate = this.options.follow || this.told + this.size < separateSize;
    const grows = this.frame >= 0 && this.frameStream === stream && this.size - this.frame < frameSize;
    if (grows && !separate) return;
    this.closeFrame();
    this.frame = this.size;
    this.frameStream = stream;
    this.size += frameHeaderSize;
  }

  private closeFrame(): void {
    if (this.frame < 0) return;
    const length = this.size - this.frame - frameHeaderSize;
    writeFrameHeader(this.out, this.frame, this.frameStream === 1 ? 1 : 2, length);
    this.frame = -1;
  }
}

const empty = new Uint8Array(0);

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Nine digits of a second, always. */
function formatFixed(ns: bigint): string {
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, "0");
  return `${formatNs(ns - (ns % 1_000_000_000n)).slice(0, 19)}.${fraction}`;
}
