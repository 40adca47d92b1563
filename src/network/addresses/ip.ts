import { isIP } from "node:net";
import { EngineError } from "../../lib/errors.ts";

/** Addresses of both families as numbers, and subnets of them: arithmetic without strings. */
export type Family = 4 | 6;

export interface Ip {
  family: Family;
  value: bigint;
}

export interface Subnet {
  family: Family;
  /** first address, host bits zero */
  base: bigint;
  /** 0 … 32 or 128 */
  prefix: number;
}

export const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

/** `undefined` for anything but an address; one with a zone (`fe80::1%eth0`) is none. */
export function parseIp(text: string): Ip | undefined {
  const family = text.includes("%") ? 0 : isIP(text);
  if (family === 4) return { family, value: parse4(text) };
  if (family === 6) return { family, value: parse6(text) };
  return undefined;
}

const parse4 = (text: string): bigint =>
  BigInt(text.split(".").reduce((value, part) => value * 256 + Number(part), 0));

function parse6(text: string): bigint {
  const at = text.lastIndexOf(":") + 1;
  const dotted = text.slice(at).includes(".") ? parse4(text.slice(at)) : undefined;
  const groups =
    dotted === undefined
      ? text
      : `${text.slice(0, at)}${(dotted >> 16n).toString(16)}:${(dotted & 0xffffn).toString(16)}`;
  const [head = "", tail] = groups.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const all = [...front, ...Array<string>(zeros).fill("0"), ...back];
  return BigInt(`0x${all.map((group) => group.padStart(4, "0")).join("")}`);
}

/** Dotted, or by RFC 5952: lower case, the longest run of zero groups as "::". */
export function formatIp({ family, value }: Ip): string {
  if (family === 4) {
    const number = Number(value);
    return [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255].join(".");
  }
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - index * 16)) & 0xffffn).toString(16),
  );
  const runs = [...`-${groups.join("-")}-`.matchAll(/(?:-0)+(?=-)/g)].map(([run]) => run);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "-0");
  if (longest === "-0") return groups.join(":");
  const text = `-${groups.join("-")}-`;
  const at = text.indexOf(longest);
  const front = text.slice(1, at).replaceAll("-", ":");
  const back = text.slice(at + longest.length + 1, -1).replaceAll("-", ":");
  return `${front}::${back}`;
}

/** Four or sixteen bytes, network order. */
export function ipBytes({ family, value }: Ip): Uint8Array {
  return Buffer.from(value.toString(16).padStart(bitsOf(family) / 4, "0"), "hex");
}

export function ipOfBytes(bytes: Uint8Array): Ip {
  return { family: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${Buffer.from(bytes).toString("hex")}`) };
}

export const sizeOf = ({ family, prefix }: Subnet): bigint => 1n << BigInt(bitsOf(family) - prefix);

export function subnetOf({ family, value }: Ip, prefix: number): Subnet {
  const host = BigInt(bitsOf(family) - prefix);
  return { family, base: (value >> host) << host, prefix };
}

/** `"172.17.0.1/16"` → the address and its subnet; `undefined` for anything else. */
export function readCidr(text: string): { ip: Ip; subnet: Subnet } | undefined {
  const [host = "", bits = "", rest] = text.split("/");
  const ip = parseIp(host);
  if (!ip || rest !== undefined || !/^\d{1,3}$/.test(bits) || Number(bits) > bitsOf(ip.family))
    return undefined;
  return { ip, subnet: subnetOf(ip, Number(bits)) };
}

/** The same; `invalid` for anything else. */
export function parseCidr(text: string): { ip: Ip; subnet: Subnet } {
  const read = readCidr(text);
  if (!read) throw new EngineError("invalid", `invalid CIDR address: ${text}`);
  return read;
}

export const formatSubnet = ({ family, base, prefix }: Subnet): string =>
  `${formatIp({ family, value: base })}/${prefix}`;

export const contains = (subnet: Subnet, { family, value }: Ip): boolean =>
  family === subnet.family && value >= subnet.base && value < subnet.base + sizeOf(subnet);

export const overlaps = (one: Subnet, other: Subnet): boolean =>
  one.family === other.family && one.base < other.base + sizeOf(other) && other.base < one.base + sizeOf(one);
