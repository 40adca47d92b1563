import { badHeader, type Extent, extentsMax } from "./entry.ts";
import { parseDecimal, parseNumber } from "./numbers.ts";

/**
 * Maps of sparse files: where the archive's data belong. Old GNU keeps them in the header and blocks after it, pax 0.0
 * and 0.1 in pax records, pax 1.0 in front of the data.
 * https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html
 */

/** `count` pairs of octal fields; false once an empty one says the map is over. */
export function parseGnuExtents(block: Buffer, at: number, count: number, into: Extent[]): void {
  for (let index = 0; index < count; index++) {
    const field = at + index * 24;
    if (block[field] === 0) return;
    into.push({ offset: parseNumber(block, field, 12), length: parseNumber(block, field + 12, 12) });
    if (into.length > extentsMax) throw badHeader("a sparse file has too many parts");
  }
}

/** `offset,length,offset,length…` of GNU.sparse.map, or the same numbers gathered from 0.0 records. */
export function parsePaxExtents(numbers: readonly string[]): Extent[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * extentsMax)
    throw badHeader("a sparse map is malformed");
  const extents: Extent[] = [];
  for (let at = 0; at < numbers.length; at += 2)
    extents.push({
      offset: parseDecimal(numbers[at] ?? "", "sparse offset"),
      length: parseDecimal(numbers[at + 1] ?? "", "sparse length"),
    });
  return extents;
}

/**
 * The map in front of pax 1.0 data: decimal lines (how many parts, then offset and length of each), padded to a block.
 * Push block after block until one answers true: it was the map's last.
 */
export class MapInData {
  private readonly numbers: string[] = [];
  private line = "";
  private expected: number | undefined;

  push(block: Buffer): boolean {
    const lines = (this.line + block.toString("latin1", 0, block.length)).split("\n");
    this.line = lines.pop() ?? "";
    for (const line of lines) {
      if (this.expected === undefined) this.expected = 2 * parseDecimal(line, "sparse count");
      else this.numbers.push(line);
      if (this.expected > 2 * extentsMax) throw badHeader("a sparse file has too many parts");
      if (this.numbers.length === this.expected) return true;
    }
    if (this.line.length > 20) throw badHeader("a sparse map is malformed");
    return false;
  }

  extents(): Extent[] {
    return parsePaxExtents(this.numbers);
  }
}

/** Refuses maps that overlap, leave the file, or do not add up to the data there is. */
export function checkExtents(extents: readonly Extent[], fileSize: number, dataSize: number): void {
  let position = 0;
  let total = 0;
  for (const { offset, length } of extents) {
    if (offset < position || offset + length > fileSize) throw badHeader("a sparse map leaves its file");
    position = offset + length;
    total += length;
  }
  if (total !== dataSize) throw badHeader("a sparse map does not add up to its data");
}
