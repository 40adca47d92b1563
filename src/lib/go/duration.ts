/** Durations as Go writes and reads them, in nanoseconds: `1h2m3s`, `1.5s`, `300ms`. */

const unitsNs: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const largest = 2n ** 63n;
const textMax = 200;

/** Throws `time: invalid duration "x"` and its relatives. */
export function parseGoDuration(text: string): number {
  const ns = read(text);
  if (typeof ns === "string") throw new Error(`time: ${ns} ${JSON.stringify(text)}`);
  return Number(ns);
}

/** Exactly, as timestamps need it; undefined for what is no duration. */
export function durationNs(text: string): bigint | undefined {
  const ns = read(text);
  return typeof ns === "bigint" ? ns : undefined;
}

/** What is wrong with it, where it is no duration. As Go does, the rest of each part below a nanosecond is left out. */
function read(text: string): bigint | string {
  const unsigned = text.replace(/^[+-]/, "");
  if (unsigned === "0") return 0n;
  if (unsigned === "" || unsigned.length > textMax) return "invalid duration";
  const part = /(?=\.?\d)(\d*)\.?(\d*)([^\d.]*)/y;
  let total = 0n;
  while (part.lastIndex < unsigned.length) {
    const [, whole, fraction = "", unit] = part.exec(unsigned) ?? [];
    if (whole === undefined || unit === undefined) return "invalid duration";
    if (unit === "") return "missing unit in duration";
    const factor = unitsNs[unit];
    if (factor === undefined) return `unknown unit ${JSON.stringify(unit)} in duration`;
    total +=
      BigInt(whole) * BigInt(factor) +
      BigInt(Math.trunc(Number(fraction) * (factor / 10 ** fraction.length)));
    if (total >= largest) return "invalid duration";
  }
  return text.startsWith("-") ? -total : total;
}

/** `1h0m3s`, `1.5ms`, `0s`. */
export function formatGoDuration(ns: number): string {
  if (ns === 0) return "0s";
  const sign = ns < 0 ? "-" : "";
  const value = Math.abs(ns);
  if (value < 1e3) return `${sign}${value}ns`;
  if (value < 1e6) return `${sign}${fraction(value, 1e3)}µs`;
  if (value < 1e9) return `${sign}${fraction(value, 1e6)}ms`;
  const hours = Math.floor(value / 3600e9);
  const minutes = Math.floor((value % 3600e9) / 60e9);
  const seconds = `${fraction(value % 60e9, 1e9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : sign + seconds;
}

function fraction(value: number, unit: number): string {
  const rest = String(Math.round(value % unit))
    .padStart(String(unit).length - 1, "0")
    .replace(/0+$/, "");
  const whole = Math.floor(value / unit);
  return rest ? `${whole}.${rest}` : String(whole);
}
