/** Sizes and durations as docker prints and reads them. */

const decimalUnits = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

function scaled(size: number, base: number, units: readonly string[], precision: number): string {
  let value = size;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${significant(value, precision)}${units[unit]}`;
}

/** Go's `%.<precision>g`. */
function significant(value: number, precision: number): string {
  const text = value.toPrecision(precision);
  if (text.includes("e")) return text.replace(/\.?0*e([+-])(\d)$/, "e$10$2");
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Bytes in powers of 1000 with at most `precision` digits: `1.98MB`. */
export const humanSize = (bytes: number, precision = 4): string =>
  scaled(bytes, 1000, decimalUnits, precision);

/** Bytes in powers of 1024: `64MiB`. */
export const binarySize = (bytes: number): string => scaled(bytes, 1024, binaryUnits, 4);

const sizeUnits: Record<string, number> = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

/** `64m`, `1.5g`, `100kb`, `1GiB` in bytes, all in powers of 1024; throws `invalid size: '…'`. */
export function parseRamSize(text: string): number {
  const match = /^([\d.,]*\d) ?([a-zA-Z]*)$/.exec(text);
  const value = match ? Number(match[1]) : Number.NaN;
  const suffix = /^([kmgtp]?)(?:i?b)?$/.exec((match?.[2] ?? "").toLowerCase());
  const factor = suffix ? sizeUnits[suffix[1] ?? ""] : undefined;
  if (Number.isNaN(value)) throw new Error(`invalid size: '${text}'`);
  if (factor === undefined) throw new Error(`invalid suffix: '${match?.[2]?.toLowerCase()}'`);
  return Math.trunc(value * factor);
}

/** A span of time in words: `About a minute`, `3 hours`. */
export function humanDuration(seconds: number): string {
  const whole = Math.trunc(seconds);
  if (whole < 1) return "Less than a second";
  if (whole === 1) return "1 second";
  if (whole < 60) return `${whole} seconds`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(seconds / 3600 / 24 / 365)} years`;
}
