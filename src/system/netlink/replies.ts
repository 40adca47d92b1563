import { decodeAttributes, type NetlinkMessage, textOf } from "./codec.ts";
import * as k from "./constants.ts";

export interface Link {
  index: number;
  name: string;
  /** index of the bridge it is in, 0 for none */
  master: number;
  up: boolean;
  kind: string;
  alias: string;
}

/** An address with its prefix length. */
interface Prefix {
  /** four or sixteen bytes */
  bytes: Uint8Array;
  prefix: number;
}

export function decodeLink({ type, payload }: NetlinkMessage): Link | undefined {
  if (type !== k.RTM_NEWLINK || payload.length < 16) return undefined;
  const attributes = decodeAttributes(payload.subarray(16));
  const info = attributes.get(k.IFLA_LINKINFO);
  return {
    index: payload.readInt32LE(4),
    name: textOf(attributes.get(k.IFLA_IFNAME)),
    master: attributes.get(k.IFLA_MASTER)?.readUInt32LE(0) ?? 0,
    up: (payload.readUInt32LE(8) & k.IFF_UP) !== 0,
    kind: info ? textOf(decodeAttributes(info).get(k.IFLA_INFO_KIND)) : "",
    alias: textOf(attributes.get(k.IFLA_IFALIAS)),
  };
}

const isInet = (family: number | undefined): boolean => family === k.AF_INET || family === k.AF_INET6;

/** A unicast route of the main table with a destination; the default route and others are `undefined`. */
export function decodeRoute({ type, payload }: NetlinkMessage): (Prefix & { link: number }) | undefined {
  if (type !== k.RTM_NEWROUTE || payload.length < 12) return undefined;
  if (!isInet(payload[0]) || payload[4] !== k.RT_TABLE_MAIN || payload[7] !== k.RTN_UNICAST) return undefined;
  const attributes = decodeAttributes(payload.subarray(12));
  const bytes = attributes.get(k.RTA_DST);
  if (!bytes || !payload[1]) return undefined;
  const link = attributes.get(k.RTA_OIF)?.readUInt32LE(0) ?? 0;
  return { bytes, prefix: payload[1], link };
}

/** RTM_GETADDR's answer: an address and its prefix. */
export function decodeAddress({ type, payload }: NetlinkMessage): (Prefix & { link: number }) | undefined {
  if (type !== k.RTM_NEWADDR || payload.length < 8 || !isInet(payload[0])) return undefined;
  const attributes = decodeAttributes(payload.subarray(8));
  const bytes = attributes.get(k.IFA_LOCAL) ?? attributes.get(k.IFA_ADDRESS);
  return bytes && { bytes, prefix: payload[1] ?? 0, link: payload.readUInt32LE(4) };
}
