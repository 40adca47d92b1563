import {
  type Compression,
  compressionMagicMax,
  detectCompression,
} from "../../lib/compression/compression.ts";
import { checksum, parseNumber } from "../../lib/tar/numbers.ts";

/** What a member of an image archive is, told from its first 512 bytes: their names differ from tool to tool. */
type MemberKind = "layer" | "document" | "unknown";

export const sniffLength = 512;

export function sniff(start: Buffer): { kind: MemberKind; compression: Compression } {
  const compression = start.length >= compressionMagicMax ? detectCompression(start) : "none";
  if (compression !== "none" || isTarHeader(start)) return { kind: "layer", compression };
  return { kind: /^\s*[[{]/.test(start.toString("latin1", 0, 64)) ? "document" : "unknown", compression };
}

/** A header block, or the empty block that an archive without entries begins with. */
function isTarHeader(block: Buffer): boolean {
  if (block.length < sniffLength) return false;
  if (block.every((byte) => byte === 0)) return true;
  const sums = checksum(block);
  const field = block.toString("latin1", 148, 156);
  if (!/^[ \0]*[0-7]+[ \0]*$/.test(field)) return false;
  const expected = parseNumber(block, 148, 8);
  return expected === sums.unsigned || expected === sums.signed;
}

/** The first bytes of a stream, and the whole stream again. */
export async function peek(
  data: AsyncIterable<Uint8Array>,
  length: number,
): Promise<{ start: Buffer; all: AsyncIterable<Uint8Array> }> {
  const iterator = data[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  let have = 0;
  while (have < length) {
    const { value, done } = await iterator.next();
    if (done) break;
    read.push(value);
    have += value.length;
  }
  const [first] = read;
  const whole =
    read.length === 1 && first
      ? Buffer.from(first.buffer, first.byteOffset, first.length)
      : Buffer.concat(read);
  return { start: whole.subarray(0, length), all: rejoin(read, iterator) };
}

async function* rejoin(read: Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* read;
  for (let step = await rest.next(); !step.done; step = await rest.next()) yield step.value;
}
