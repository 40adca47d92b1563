import { isIPv4 } from "node:net";
import { EngineError } from "../lib/errors.ts";

/** IPv4 addresses as unsigned 32-bit numbers, and subnets of them: arithmetic without strings. */
export interface Subnet {
  /** first address, host bits zero */
  base: number;
  /** 0 … 32 */
  prefix: number;
}

/** `undefined` for anything but four decimal numbers. */
export function parseIpv4(text: string): number | undefined {
  if (!isIPv4(text)) return undefined;
  return text.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}

export const formatIpv4 = (address: number): string =>
  [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join(".");

export function ipv4Bytes(address: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return bytes;
}

export const sizeOf = ({ prefix }: Subnet): number => 2 ** (32 - prefix);

export const subnetOf = (address: number, prefix: number): Subnet => {
  const size = 2 ** (32 - prefix);
  return { base: Math.floor(address / size) * size, prefix };
};

/** `"172.17.0.1/16"` → the address and its subnet; `invalid` for anything else. */
export function parseCidr(text: string): { address: number; subnet: Subnet } {
  const [host = "", bits = "", rest] = text.split("/");
  const address = parseIpv4(host);
  const prefix = /^\d{1,2}$/.test(bits) ? Number(bits) : 99;
  if (address === undefined || prefix > 32 || rest !== undefined)
    throw new EngineError("invalid", `invalid CIDR address: ${text}`);
  return { address, subnet: subnetOf(address, prefix) };
}

export const formatSubnet = ({ base, prefix }: Subnet): string => `${formatIpv4(base)}/${prefix}`;

export const contains = (subnet: Subnet, address: number): boolean =>
  address >= subnet.base && address < subnet.base + sizeOf(subnet);

export const overlaps = (one: Subnet, other: Subnet): boolean =>
  one.base < other.base + sizeOf(other) && other.base < one.base + sizeOf(one);
