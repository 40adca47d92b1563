import { closeSync, openSync, readSync } from "node:fs";

interface Section {
  /** where it is in memory: our executable is linked to fixed addresses */
  address: number;
  size: number;
}

/** type of file (ET_EXEC): its addresses are those in memory */
const fixedAddresses = 2;
const headerSize = 64;

/** A section of an executable, by default this process's, by its name; undefined where there is none. elf(5), 64 bits, little-endian. */
export function findSection(name: string, path = "/proc/self/exe"): Section | undefined {
  const file = openSync(path, "r");
  const read = (at: number, size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, readSync(file, bytes, 0, size, at));
  };
  try {
    const header = read(0, headerSize);
    if (header.readUInt16LE(16) !== fixedAddresses || header.readUInt16LE(58) !== headerSize)
      return undefined;
    const table = read(Number(header.readBigUInt64LE(40)), header.readUInt16LE(60) * headerSize);
    const { offset, size } = sectionAt(table, header.readUInt16LE(62));
    const names = read(offset, size);
    for (let index = 0; index < table.length / headerSize; index++) {
      const section = sectionAt(table, index);
      if (names.toString("latin1", section.nameAt, names.indexOf(0, section.nameAt)) === name)
        return { address: section.address, size: section.size };
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

function sectionAt(table: Buffer, index: number) {
  const at = index * headerSize;
  return {
    nameAt: table.readUInt32LE(at),
    address: Number(table.readBigUInt64LE(at + 16)),
    offset: Number(table.readBigUInt64LE(at + 24)),
    size: Number(table.readBigUInt64LE(at + 32)),
  };
}
