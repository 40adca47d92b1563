import { EngineError } from "../../lib/errors.ts";
import { goBool, goBoolError } from "../../lib/go/bool.ts";
import { goQuote } from "../../lib/go/quote.ts";

/** The parameters of a request's URL, read as Docker reads each kind. */
export class Query {
  private readonly search: string;
  private read: URLSearchParams | undefined;

  constructor(search: string) {
    this.search = search;
  }

  /** Read when first asked for: an endpoint without parameters takes whatever stands there. */
  private get params(): URLSearchParams {
    this.read ??= readSearch(this.search);
    return this.read;
  }

  /** "" where it is missing, as Go's forms have it. */
  text(key: string): string {
    return this.params.get(key) ?? "";
  }

  all(key: string): string[] {
    return this.params.getAll(key);
  }

  /** False is empty, `0`, `no`, `false`, `none` in any case; every other value is true. */
  flag(key: string, missing = false): boolean {
    if (!this.params.has(key)) return missing;
    const value = this.text(key).trim().toLowerCase();
    return !["", "0", "no", "false", "none"].includes(value);
  }

  /** An integer, or undefined where it is missing or empty. Docker answers 500 to a bad one: its error has no kind. */
  integer(key: string): number | undefined {
    const value = this.text(key);
    return value === "" ? undefined : parseGoInt(value, "Atoi", "internal");
  }

  /** Go's strict boolean, as `verbose` of a network's inspection is read. */
  strictFlag(key: string): boolean {
    const value = this.text(key);
    if (value === "") return false;
    const read = goBool(value);
    if (read !== undefined) return read;
    throw new EngineError("invalid", `invalid value for ${key}: ${value}: ${goBoolError(value)}`);
  }
}

function readSearch(search: string): URLSearchParams {
  for (const pair of search.includes(";") || search.includes("%") ? search.split("&") : []) {
    if (pair.includes(";")) throw new EngineError("invalid", "invalid semicolon separator in query");
    const broken = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(pair)?.[0];
    if (broken !== undefined) throw new EngineError("invalid", `invalid URL escape ${goQuote(broken)}`);
  }
  return new URLSearchParams(search);
}

/** A decimal integer of 64 bits with Go's sentence for a bad one. */
export function parseGoInt(value: string, call: "Atoi" | "ParseInt", kind: "internal" | "invalid"): number {
  const fail = (why: string): never => {
    throw new EngineError(kind, `strconv.${call}: parsing ${JSON.stringify(value)}: ${why}`);
  };
  if (!/^[-+]?\d+$/.test(value)) return fail("invalid syntax");
  const number = Number(value);
  return Math.abs(number) >= 2 ** 63 ? fail("value out of range") : number;
}

/** `h` and `w` of a resize: unsigned 32-bit integers, both required. */
export function consoleSize(query: Query): { height: number; width: number } {
  return { height: dimension(query, "h", "height"), width: dimension(query, "w", "width") };
}

function dimension(query: Query, key: string, name: string): number {
  const value = query.text(key);
  const fail = (why: string): never => {
    throw new EngineError("invalid", `invalid resize ${name} ${JSON.stringify(value)}: ${why}`);
  };
  if (!/^[-+]?\d+$/.test(value)) return fail("invalid syntax");
  const number = Number(value);
  return number < 0 || number > 0xffff_ffff ? fail("value out of range") : number;
}

/**
 * A time of `since` or `until`: Unix seconds with an optional fraction of up to nine digits, in nanoseconds.
 * Undefined where it is missing or empty.
 */
export function timestampNs(value: string): bigint | undefined {
  if (value === "") return undefined;
  const point = value.indexOf(".");
  const whole = point < 0 ? value : value.slice(0, point);
  const fraction = point < 0 ? "" : value.slice(point + 1);
  parseGoInt(whole, "ParseInt", "internal");
  if (point >= 0) parseGoInt(fraction, "ParseInt", "internal");
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.replace(/^[-+]/, "").slice(0, 9).padEnd(9, "0"));
}
