/** What of an executable's ELF header and program headers the graft needs: elf(5), "System V ABI", chapters 4 and 5. */
export interface Executable {
  entry: number;
  segments: Segment[];
}

export interface Segment {
  /** where its program header lies in the file */
  headerOffset: number;
  type: number;
  flags: number;
  offset: number;
  address: number;
  fileSize: number;
  memorySize: number;
  align: number;
}

export const segmentType = { load: 1, interpreter: 3, note: 4 } as const;
export const segmentFlag = { execute: 1, write: 2, read: 4 } as const;

const machineX86_64 = 62;
const typeExecutable = 2; // ET_EXEC: its addresses are those of the file
const headerSize = 64;
const programHeaderSize = 56;
const entryField = 0x18;

/** Throws a sentence for anything but an executable for x86-64 Linux whose addresses are fixed. */
export function readExecutable(bytes: Uint8Array): Executable {
  const view = viewOf(bytes);
  if (bytes.length < headerSize || view.getUint32(0) !== 0x7f454c46) throw new Error("it is no ELF file");
  if (view.getUint8(4) !== 2 || view.getUint8(5) !== 1) throw new Error("it is not 64-bit little-endian");
  if (view.getUint16(0x12, true) !== machineX86_64) throw new Error("it is not for x86-64");
  if (view.getUint16(0x10, true) !== typeExecutable) throw new Error("its addresses are not fixed (ET_EXEC)");
  const table = address(view, 0x20);
  const [size, count] = [view.getUint16(0x36, true), view.getUint16(0x38, true)];
  if (size !== programHeaderSize || count === 0 || table + count * size > bytes.length)
    throw new Error("its program headers are not where they should be");
  const segments = Array.from({ length: count }, (_, index) => readSegment(view, table + index * size));
  return { entry: address(view, entryField), segments };
}

function readSegment(view: DataView, at: number): Segment {
  return {
    headerOffset: at,
    type: view.getUint32(at, true),
    flags: view.getUint32(at + 4, true),
    offset: address(view, at + 8),
    address: address(view, at + 16),
    fileSize: address(view, at + 32),
    memorySize: address(view, at + 40),
    align: address(view, at + 48),
  };
}

export function writeSegment(bytes: Uint8Array, segment: Segment): void {
  const [view, at] = [viewOf(bytes), segment.headerOffset];
  view.setUint32(at, segment.type, true);
  view.setUint32(at + 4, segment.flags, true);
  const { offset, address, fileSize, memorySize, align } = segment;
  // the second address is the physical one, which Linux does not look at
  for (const [index, value] of [offset, address, address, fileSize, memorySize, align].entries())
    view.setBigUint64(at + 8 + 8 * index, BigInt(value), true);
}

export function writeEntry(bytes: Uint8Array, entry: number): void {
  viewOf(bytes).setBigUint64(entryField, BigInt(entry), true);
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function address(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > 1n << 47n) throw new Error("it has an address that no process has");
  return Number(value);
}
