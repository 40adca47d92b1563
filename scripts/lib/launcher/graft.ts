import { readExecutable, type Segment, segmentFlag, segmentType, writeEntry, writeSegment } from "./elf.ts";

const pageSize = 4096;
/** between the program's own memory and the launcher's, so that neither runs into the other */
const gap = 1 << 20;
/** the launcher's code begins with eight bytes for the program's own entry point: src/launcher/launcher.c */
const entryInCode = 8;

/**
 * The executable with the launcher's code as one more segment at its end, where it now starts. The header of the segment is
 * that of a note, which nobody reads in an executable. Everything else stays where it was. Throws a sentence where the
 * executable is not as expected: better no build than one that may not start.
 */
export function graft(executable: Uint8Array, code: Uint8Array): Uint8Array {
  const { entry, segments } = readExecutable(executable);
  const loaded = segments.filter(({ type }) => type === segmentType.load);
  checkEntry(entry, loaded);
  if (!segments.some(({ type }) => type === segmentType.interpreter))
    throw new Error("it is not linked dynamically");
  const note = segments.findLast(({ type }) => type === segmentType.note);
  const last = loaded.at(-1);
  // loaded segments must be in the order of their addresses
  if (!note || !last || note.headerOffset < last.headerOffset)
    throw new Error("it has no note behind its loaded segments whose program header could be used");
  const offset = roundUp(executable.length);
  const end = Math.max(...loaded.map(({ address, memorySize }) => address + memorySize));
  const address = roundUp(end) + gap;

  const grafted = new Uint8Array(offset + code.length);
  grafted.set(executable);
  grafted.set(code, offset);
  new DataView(grafted.buffer).setBigUint64(offset, BigInt(entry), true);
  writeSegment(grafted, {
    headerOffset: note.headerOffset,
    type: segmentType.load,
    flags: segmentFlag.read | segmentFlag.execute,
    offset,
    address,
    fileSize: code.length,
    memorySize: code.length,
    align: pageSize,
  });
  writeEntry(grafted, address + entryInCode);
  return grafted;
}

const roundUp = (size: number): number => Math.ceil(size / pageSize) * pageSize;

function checkEntry(entry: number, loaded: readonly Segment[]): void {
  const home = loaded.find(({ address, fileSize }) => entry >= address && entry < address + fileSize);
  if (!home || !(home.flags & segmentFlag.execute)) throw new Error("its entry point is in no code of it");
  if (loaded.some(({ flags }) => flags & segmentFlag.write && flags & segmentFlag.execute))
    throw new Error("it has memory that can be written and run");
}
