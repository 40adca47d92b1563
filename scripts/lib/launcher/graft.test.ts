import { describe, expect, test } from "bun:test";
import { readExecutable, type Segment, writeEntry, writeSegment } from "./elf.ts";
import { graft } from "./graft.ts";

const code = Uint8Array.from({ length: 100 }, (_, index) => index);

/** The beginning of Bun's executable in small: an interpreter, text, data that grows in memory, a note. */
const bunLike: readonly Omit<Segment, "headerOffset">[] = [
  { type: 3, flags: 4, offset: 0x200, address: 0x200200, fileSize: 28, memorySize: 28, align: 1 },
  { type: 1, flags: 4, offset: 0, address: 0x200000, fileSize: 0x1000, memorySize: 0x1000, align: 4096 },
  { type: 1, flags: 5, offset: 0x1000, address: 0x202000, fileSize: 0x800, memorySize: 0x800, align: 4096 },
  { type: 1, flags: 6, offset: 0x1800, address: 0x203800, fileSize: 0x100, memorySize: 0x9000, align: 4096 },
  { type: 4, flags: 4, offset: 0x300, address: 0x200300, fileSize: 68, memorySize: 68, align: 4 },
];

function executable(
  segments: readonly Omit<Segment, "headerOffset">[] = bunLike,
  entry = 0x202010,
): Uint8Array {
  const bytes = new Uint8Array(0x1900 + 7).fill(0xaa, 64 + 56 * segments.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(0x10, 2, true);
  view.setUint16(0x12, 62, true);
  view.setBigUint64(0x20, 64n, true);
  view.setUint16(0x36, 56, true);
  view.setUint16(0x38, segments.length, true);
  writeEntry(bytes, entry);
  for (const [index, segment] of segments.entries())
    writeSegment(bytes, { ...segment, headerOffset: 64 + 56 * index });
  return bytes;
}

const without = (type: number): Uint8Array => executable(bunLike.filter((segment) => segment.type !== type));

function withBytes(at: number, ...values: number[]): Uint8Array {
  const bytes = executable();
  bytes.set(values, at);
  return bytes;
}

describe("a grafted executable", () => {
  const grafted = graft(executable(), code);
  const { entry, segments } = readExecutable(grafted);
  const added = segments.at(-1);

  test("starts in the launcher's segment, behind the program's own entry point", () => {
    expect(entry).toBe((added?.address ?? 0) + 8);
    expect(new DataView(grafted.buffer).getBigUint64(added?.offset ?? 0, true)).toBe(0x202010n);
  });

  test("has the code at its end, to be read and run, not written", () => {
    expect(added).toMatchObject({ type: 1, flags: 5, fileSize: 100, memorySize: 100, offset: 0x2000 });
    expect(grafted.subarray(0x2008)).toEqual(code.subarray(8));
    expect((added?.address ?? 0) % 4096).toBe(0);
  });

  test("has the segment clear of the memory of all others", () => {
    expect(added?.address).toBeGreaterThan(0x203800 + 0x9000);
  });

  test("is otherwise what it was", () => {
    const before = executable();
    writeEntry(before, entry);
    if (added) writeSegment(before, added);
    expect(grafted.subarray(0, before.length)).toEqual(before);
  });
});

describe("an executable that is not as expected is refused:", () => {
  const refused: Record<string, [Uint8Array, string]> = {
    "no ELF file": [new TextEncoder().encode("#!/bin/sh\n".repeat(20)), "no ELF file"],
    "an empty one": [new Uint8Array(0), "no ELF file"],
    "32 bits": [withBytes(4, 1), "64-bit"],
    "big-endian": [withBytes(5, 2), "little-endian"],
    "another processor": [withBytes(0x12, 183), "x86-64"],
    "position-independent": [withBytes(0x10, 3), "not fixed"],
    "program headers of another size": [withBytes(0x36, 32), "program headers"],
    "program headers beyond the end": [withBytes(0x38, 255, 255), "program headers"],
    "program headers at an address that cannot be": [withBytes(0x27, 0x80), "address"],
    "no note": [without(4), "no note"],
    "a note before the loaded segments": [
      executable([...bunLike.slice(-1), ...bunLike.slice(0, -1)]),
      "no note",
    ],
    static: [without(3), "dynamically"],
    "nothing loaded": [without(1), "entry point"],
    "an entry point in data": [executable(bunLike, 0x203810), "entry point"],
    "an entry point nowhere": [executable(bunLike, 0x900000), "entry point"],
    "memory to write and run": [
      executable(bunLike.map((one) => (one.flags === 6 ? { ...one, flags: 7 } : one))),
      "written and run",
    ],
  };
  for (const [name, [bytes, sentence]] of Object.entries(refused))
    test(name, () => expect(() => graft(bytes, code)).toThrow(sentence));
});
