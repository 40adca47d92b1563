import { badHeader } from "./entry.ts";

/** Numbers in header fields: octal text, or GNU base-256 where the first byte's top bit is set. */
export function parseNumber(block: Buffer, at: number, length: number): number {
  const lead = block[at] ?? 0;
  if (lead & 0x80) return parseBase256(block, at, length);
  const text = block
    .toString("latin1", at, at + length)
    .replace(/^[ \0]+/, "")
    .replace(/[ \0].*$/s, "");
  if (text === "") return 0;
  if (!/^[0-7]+$/.test(text)) throw badHeader(`${JSON.stringify(text)} is not an octal number`);
  return Number.parseInt(text, 8);
}

function parseBase256(block: Buffer, at: number, length: number): number {
  // two's complement, big endian, the top bit being the mark itself
  const negative = ((block[at] ?? 0) & 0x40) !== 0;
  let value = negative ? -1n : 0n;
  for (let index = 0; index < length; index++) {
    let byte = block[at + index] ?? 0;
    if (index === 0) byte = negative ? byte | 0x80 : byte & 0x7f;
    value = (value << 8n) | BigInt(byte);
  }
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw badHeader("a number is out of range");
  return number;
}

/** Whether `value` fits as octal text of `length` bytes with its NUL. */
export const fitsOctal = (value: number, length: number): boolean => value >= 0 && value < 8 ** (length - 1);

export function formatOctal(value: number, into: Buffer, at: number, length: number): void {
  if (value > 0x7fffffff) into.write(value.toString(8).padStart(length - 1, "0"), at, "latin1");
  else
    for (let index = at + length - 2, rest = value; index >= at; index--, rest >>>= 3)
      into[index] = 48 + (rest & 7);
  into[at + length - 1] = 0;
}

/** The sum of a header's bytes, in which the checksum's own field is still empty and counts as spaces. */
export function sumOf(block: Uint8Array): number {
  let sum = 8 * 32;
  for (let at = 0; at < 512; at++) sum += block[at] ?? 0;
  return sum;
}

/** A header's checksum: the sum of its bytes, the checksum field counted as spaces. */
export function checksum(block: Uint8Array): { unsigned: number; signed: number } {
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < 512; at++) {
    const byte = at >= 148 && at < 156 ? 32 : (block[at] ?? 0);
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  return { unsigned, signed };
}

/** `seconds[.fraction]` of a pax time, rounded down to nanoseconds. */
export function parseTime(text: string): { s: number; ns: number } {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (!match) throw badHeader(`${JSON.stringify(text)} is not a time`);
  const ns = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  const s = Number(match[2]);
  if (match[1] !== "-") return { s, ns };
  return ns === 0 ? { s: -s, ns: 0 } : { s: -s - 1, ns: 1_000_000_000 - ns };
}

export function parseDecimal(text: string, what: string): number {
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value))
    throw badHeader(`${what} ${JSON.stringify(text)}`);
  return value;
}
