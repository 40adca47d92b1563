/** Durations as Go writes and reads them, in nanoseconds: `1h2m3s`, `1.5s`, `300ms`. */

const unitsNs: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const largest = 2 ** 63;

/** Throws `time: invalid duration "x"` and its relatives. */
export function parseGoDuration(text: string): number {
  const quoted = JSON.stringify(text);
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  if (rest === "") throw new Error(`time: invalid duration ${quoted}`);
  let total = 0;
  while (rest) {
    const number = /^(\d+\.?\d*|\.\d+)/.exec(rest);
    if (!number) throw new Error(`time: invalid duration ${quoted}`);
    rest = rest.slice(number[0].length);
    const unit = /^[^\d.]+/.exec(rest)?.[0];
    if (!unit) throw new Error(`time: missing unit in duration ${quoted}`);
    const factor = unitsNs[unit];
    if (factor === undefined)
      throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    total += Number(number[0]) * factor;
    rest = rest.slice(unit.length);
  }
  if (total >= largest) throw new Error(`time: invalid duration ${quoted}`);
  return sign * Math.trunc(Math.round(total * 1e3) / 1e3);
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
