import { badHeader, byteString } from "./entry.ts";

/**
 * The records of a pax extended header: `<length> <key>=<value>\n`, length counting all of it.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03
 */
export function parsePax(bytes: Buffer): [string, string][] {
  const records: [string, string][] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const lengthText = space < 0 || space - at > 8 ? "" : bytes.toString("latin1", at, space);
    const end = at + Number(lengthText);
    if (!/^\d+$/.test(lengthText) || end > bytes.length || end < space + 3 || bytes[end - 1] !== 10)
      throw badHeader("a pax record is malformed");
    const equals = bytes.indexOf(61, space);
    if (equals < 0 || equals >= end || equals === space + 1) throw badHeader("a pax record is malformed");
    records.push([
      bytes.toString("latin1", space + 1, equals),
      bytes.toString("latin1", equals + 1, end - 1),
    ]);
    at = end;
  }
  return records;
}

/** The records as bytes; keys are text, values byte strings. */
export function formatPax(records: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(records.map(([key, value]) => formatRecord(byteString(key), value)).join(""), "latin1");
}

function formatRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  // the length counts its own digits, which may grow by one through it
  const guess = rest.length + String(rest.length).length;
  const length = rest.length + String(guess).length;
  return `${length}${rest}`;
}

/** Keys whose value ends up as a name or number: a NUL in it would cut it short further on. */
export function refuseNul(key: string, value: string): string {
  if (value.includes("\0")) throw badHeader(`${key} holds a NUL byte`);
  return value;
}

export const xattrPrefix = "SCHILY.xattr.";
