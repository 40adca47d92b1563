import { isIP } from "node:net";
import { EngineError } from "../../lib/errors.ts";
import type { Ulimit } from "../../types/api.ts";

/** Values of options before they are complete: by key, each of its option's type, only what was said. */
export type Values = Map<string, unknown>;

const invalid = (sentence: string): EngineError => new EngineError("invalid", sentence);

/** `nofile=1024:2048` */
export function parseUlimit(text: string): Ulimit {
  const match = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(text);
  if (!match) throw invalid(`invalid ulimit argument: ${text}`);
  const [, Name = "", soft = "", hard = soft] = match;
  return { Name, Soft: Number(soft), Hard: Number(hard) };
}

export interface Pool {
  base: string;
  size: number;
}

/** `base=10.0.0.0/8,size=24` */
export function parsePool(text: string): Pool {
  const parts = new Map(
    text
      .split(",")
      .map((part): [string, string] => [part.split("=", 1)[0] ?? "", part.slice(part.indexOf("=") + 1)]),
  );
  const [base, size] = [parts.get("base"), parts.get("size")];
  if (base === undefined || size === undefined || parts.size !== 2)
    throw invalid(`invalid address pool ${JSON.stringify(text)}: it is written base=CIDR,size=BITS`);
  return checkPool({ base, size: Number(size) });
}

export function checkPool(pool: Pool): Pool {
  const [address = "", prefix = ""] = pool.base.split("/");
  const bits = isIP(address) === 6 ? 128 : 32;
  if (!pool.base.includes("/")) throw invalid(`netip.ParsePrefix(${JSON.stringify(pool.base)}): no '/'`);
  if (isIP(address) === 0 || !/^\d+$/.test(prefix) || Number(prefix) > bits)
    throw invalid(`invalid address pool base ${JSON.stringify(pool.base)}`);
  if (!Number.isInteger(pool.size) || pool.size < Number(prefix) || pool.size > bits)
    throw invalid(
      `invalid size ${pool.size} of the address pool ${pool.base}: it is a prefix length from ${prefix} to ${bits}`,
    );
  return pool;
}

export function checkAddress(text: string): string {
  if (isIP(text) === 0) throw invalid(`invalid IP address: ${text}`);
  return text;
}

/** `key=value`, of a map or of labels. */
export function parsePair(text: string): [string, string] {
  const equals = text.indexOf("=");
  if (equals < 1) throw invalid(`bad attribute format: ${text}`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** As Go prints a value with `%v`, which is how a conflict of flag and file is told. */
export function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (typeof value === "object" && value !== null)
    return `map[${Object.entries(value)
      .map(([key, item]) => `${key}:${goText(item)}`)
      .sort()
      .join(" ")}]`;
  return String(value);
}
