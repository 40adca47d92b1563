import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findSection } from "./own-executable.ts";

/** An executable of nothing but a header, section headers and their names. */
function executable(type: number, sections: { name: string; address: number; size: number }[]): Buffer {
  const all = [...sections, { name: ".shstrtab", address: 0, size: 0 }];
  const names = Buffer.from(`\0${all.map(({ name }) => `${name}\0`).join("")}`);
  const header = Buffer.alloc(64);
  header.writeUInt16LE(type, 16);
  header.writeBigUInt64LE(64n, 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(all.length, 60);
  header.writeUInt16LE(all.length - 1, 62);
  const namesAt = 64 + all.length * 64;
  const table = all.map(({ name, address, size }) => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(names.indexOf(`\0${name}\0`) + 1, 0);
    entry.writeBigUInt64LE(BigInt(address), 16);
    entry.writeBigUInt64LE(BigInt(name === ".shstrtab" ? namesAt : 0), 24);
    entry.writeBigUInt64LE(BigInt(name === ".shstrtab" ? names.length : size), 32);
    return entry;
  });
  return Buffer.concat([header, ...table, names]);
}

function inFile<T>(bytes: Uint8Array, look: (path: string) => T): T {
  const home = mkdtempSync(join(tmpdir(), "berth-executable-"));
  try {
    writeFileSync(join(home, "program"), bytes);
    return look(join(home, "program"));
  } finally {
    rmSync(home, { recursive: true });
  }
}

const sections = [
  { name: ".text", address: 0x400000, size: 100 },
  { name: ".bun", address: 0x6a22000, size: 0xab4ed8 },
];

test("a section is found by its whole name", () => {
  inFile(executable(2, sections), (path) => {
    expect(findSection(".bun", path)).toEqual({ address: 0x6a22000, size: 0xab4ed8 });
    expect(findSection(".bu", path)).toBeUndefined();
    expect(findSection("text", path)).toBeUndefined();
  });
});

test("a program that is loaded anywhere has no section of a known address", () => {
  inFile(executable(3, sections), (path) => expect(findSection(".bun", path)).toBeUndefined());
});
