import { decodeAttributes, type NetlinkMessage, textOf } from "./codec.ts";
import * as k from "./constants.ts";

export interface Link {
  index: number;
  name: string;
  /** index of the bridge it is in, 0 for none */
  master: number;
  up: boolean;
  kind: string;
}

/** An IPv4 network in dotted form. */
export interface Prefix {
  address: string;
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
  };
}

const dotted = (bytes: Buffer): string => Array.from(bytes.subarray(0, 4)).join(".");

/** A unicast route of the main table with a destination; the default route and others are `undefined`. */
export function decodeRoute({ type, payload }: NetlinkMessage): (Prefix & { link: number }) | undefined {
  if (type !== k.RTM_NEWROUTE || payload.length < 12) return undefined;
  if (payload[0] !== k.AF_INET || payload[4] !== k.RT_TABLE_MAIN) return undefined;
  const attributes = decodeAttributes(payload.subarray(12));
  const destination = attributes.get(k.RTA_DST);
  if (!destination || !payload[1]) return undefined;
  const link = attributes.get(k.RTA_OIF)?.readUInt32LE(0) ?? 0;
  return { address: dotted(destination), prefix: payload[1], link };
}

/** RTM_GETADDR's answer: an address and its prefix. */
export function decodeAddress({ type, payload }: NetlinkMessage): (Prefix & { link: number }) | undefined {
  if (type !== k.RTM_NEWADDR || payload.length < 8 || payload[0] !== k.AF_INET) return undefined;
  const attributes = decodeAttributes(payload.subarray(8));
  const local = attributes.get(k.IFA_LOCAL) ?? attributes.get(k.IFA_ADDRESS);
  return local && { address: dotted(local), prefix: payload[1] ?? 32, link: payload.readUInt32LE(4) };
}
