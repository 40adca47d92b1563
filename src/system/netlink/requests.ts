import { type Attribute, type NetlinkRequest, text, u32 } from "./codec.ts";
import * as k from "./constants.ts";

/**
 * rtnetlink(7) requests as values: what to ask, printable and testable, sent by `NetlinkSocket`.
 * Interfaces are named by index where known, else by name.
 */
interface PrefixedAddress {
  /** four or sixteen bytes, network order */
  bytes: Uint8Array;
  prefix: number;
}

const familyOf = (bytes: Uint8Array): number => (bytes.length === 4 ? k.AF_INET : k.AF_INET6);
const told = (bytes: Uint8Array): string =>
  bytes.length === 4 ? Array.from(bytes).join(".") : Buffer.from(bytes).toString("hex");

const ifinfo = (index = 0, flags = 0, change = 0, family = k.AF_UNSPEC): Buffer => {
  const body = Buffer.alloc(16);
  body.writeUInt8(family, 0);
  body.writeInt32LE(index, 4);
  body.writeUInt32LE(flags, 8);
  body.writeUInt32LE(change, 12);
  return body;
};

const kind = (name: string, data: readonly Attribute[] = []): Attribute => [
  k.IFLA_LINKINFO,
  [[k.IFLA_INFO_KIND, Buffer.from(name)], ...(data.length > 0 ? [[k.IFLA_INFO_DATA, data] as const] : [])],
];

/** No IPv6 address is made by itself when it comes up: a bridge's port needs none. Not possible at creation. */
export const noLinkLocal = (name: string): NetlinkRequest => ({
  what: `set address mode of ${name}`,
  type: k.RTM_SETLINK,
  flags: 0,
  body: ifinfo(),
  attributes: [
    [k.IFLA_IFNAME, text(name)],
    [k.IFLA_AF_SPEC, [[k.AF_INET6, [[k.IFLA_INET6_ADDR_GEN_MODE, Buffer.of(k.IN6_ADDR_GEN_MODE_NONE)]]]]],
  ],
});

const up = (index = 0): Buffer => ifinfo(index, k.IFF_UP, k.IFF_UP);

export const createBridge = (name: string, mac: Uint8Array, mtu: number): NetlinkRequest => ({
  what: `create bridge ${name}`,
  type: k.RTM_NEWLINK,
  flags: k.NLM_F_CREATE | k.NLM_F_EXCL,
  body: up(),
  attributes: [[k.IFLA_IFNAME, text(name)], [k.IFLA_ADDRESS, mac], [k.IFLA_MTU, u32(mtu)], kind("bridge")],
});

interface VethOptions {
  host: string;
  peer: string;
  /** the peer's */
  mac: Uint8Array;
  mtu: number;
  /** an open namespace file: the peer is made there at once */
  netnsFd: number;
}

/** A veth pair, down: the peer already in its namespace, under its final name. */
export const createVeth = ({ host, peer, mac, mtu, netnsFd }: VethOptions): NetlinkRequest => ({
  what: `create veth ${host}`,
  type: k.RTM_NEWLINK,
  flags: k.NLM_F_CREATE | k.NLM_F_EXCL,
  body: ifinfo(),
  attributes: [
    [k.IFLA_IFNAME, text(host)],
    [k.IFLA_MTU, u32(mtu)],
    kind("veth", [[k.VETH_INFO_PEER, peerOf(peer, mac, mtu, netnsFd)]]),
  ],
});

/** The peer's attributes follow a struct ifinfomsg of its own inside VETH_INFO_PEER. */
const peerOf = (name: string, mac: Uint8Array, mtu: number, netnsFd: number): Uint8Array =>
  Buffer.concat([
    ifinfo(),
    attributeBytes(k.IFLA_IFNAME, text(name)),
    attributeBytes(k.IFLA_ADDRESS, mac),
    attributeBytes(k.IFLA_MTU, u32(mtu)),
    attributeBytes(k.IFLA_NET_NS_FD, u32(netnsFd)),
  ]);

function attributeBytes(type: number, value: Uint8Array): Buffer {
  const out = Buffer.alloc((4 + value.length + 3) & ~3);
  out.writeUInt16LE(4 + value.length, 0);
  out.writeUInt16LE(type, 2);
  out.set(value, 4);
  return out;
}

interface SlaveOptions {
  /** index of the interface it belongs to */
  parent: number;
  name: string;
  mac?: Uint8Array;
  mtu: number;
  /** an open namespace file: it is made there at once */
  netnsFd: number;
}

const slave = (what: string, { parent, name, mac, mtu, netnsFd }: SlaveOptions, info: Attribute) => ({
  what: `${what} ${name}`,
  type: k.RTM_NEWLINK,
  flags: k.NLM_F_CREATE | k.NLM_F_EXCL,
  body: ifinfo(),
  attributes: [
    [k.IFLA_IFNAME, text(name)],
    [k.IFLA_LINK, u32(parent)],
    ...(mac ? [[k.IFLA_ADDRESS, mac] as const] : []),
    ...(mtu === 0 ? [] : [[k.IFLA_MTU, u32(mtu)] as const]),
    [k.IFLA_NET_NS_FD, u32(netnsFd)],
    info,
  ] satisfies Attribute[],
});

/** `mode`: linux/if_link.h, enum macvlan_mode. */
export const createMacvlan = (options: SlaveOptions & { mode: number }): NetlinkRequest =>
  slave("create macvlan", options, kind("macvlan", [[k.IFLA_MACVLAN_MODE, u32(options.mode)]]));

const u16 = (value: number): Buffer => Buffer.of(value & 255, value >> 8);

/** `mode` and `flag`: linux/if_link.h, enum ipvlan_mode and IPVLAN_F_*. */
export const createIpvlan = (options: SlaveOptions & { mode: number; flag: number }): NetlinkRequest =>
  slave(
    "create ipvlan",
    options,
    kind("ipvlan", [
      [k.IFLA_IPVLAN_MODE, u16(options.mode)],
      [k.IFLA_IPVLAN_FLAGS, u16(options.flag)],
    ]),
  );

export const createVlan = (name: string, parent: number, id: number): NetlinkRequest => ({
  what: `create VLAN ${name}`,
  type: k.RTM_NEWLINK,
  flags: k.NLM_F_CREATE | k.NLM_F_EXCL,
  body: up(),
  attributes: [
    [k.IFLA_IFNAME, text(name)],
    [k.IFLA_LINK, u32(parent)],
    kind("vlan", [[k.IFLA_VLAN_ID, u16(id)]]),
  ],
});

export const createDummy = (name: string): NetlinkRequest => ({
  what: `create dummy interface ${name}`,
  type: k.RTM_NEWLINK,
  flags: k.NLM_F_CREATE | k.NLM_F_EXCL,
  body: up(),
  attributes: [[k.IFLA_IFNAME, text(name)], kind("dummy")],
});

export const setUp = (name: string): NetlinkRequest => ({
  what: `set ${name} up`,
  type: k.RTM_SETLINK,
  flags: 0,
  body: up(),
  attributes: [[k.IFLA_IFNAME, text(name)]],
});

/** A text of the user's that the kernel keeps with an interface. */
export const setAlias = (name: string, alias: string): NetlinkRequest => ({
  what: `set alias of ${name}`,
  type: k.RTM_SETLINK,
  flags: 0,
  body: ifinfo(),
  attributes: [
    [k.IFLA_IFNAME, text(name)],
    [k.IFLA_IFALIAS, Buffer.from(alias)],
  ],
});

export const setMaster = (name: string, bridgeIndex: number): NetlinkRequest => ({
  what: `add ${name} to its bridge`,
  type: k.RTM_SETLINK,
  flags: 0,
  body: ifinfo(),
  attributes: [
    [k.IFLA_IFNAME, text(name)],
    [k.IFLA_MASTER, u32(bridgeIndex)],
  ],
});

const portAttributes = (what: string, index: number, attributes: readonly Attribute[]): NetlinkRequest => ({
  what,
  type: k.RTM_SETLINK,
  flags: 0,
  body: ifinfo(index, 0, 0, k.AF_BRIDGE),
  attributes: [[k.IFLA_PROTINFO, attributes]],
});

/**
 * A disabled port forwards nothing from the next packet on, long before its veth is gone, and what the bridge learned
 * from it is forgotten: another port may have its MAC at once.
 */
export const disablePort = (index: number): NetlinkRequest =>
  portAttributes(`disable bridge port ${index}`, index, [
    [k.IFLA_BRPORT_STATE, Buffer.of(0)],
    [k.IFLA_BRPORT_FLUSH, Buffer.alloc(0)],
  ]);

/**
 * Hairpin: a container reaches itself through its own published port, even where bridged packets pass through the
 * host's IP rules (br_netfilter) and so would leave by the port they came from. Isolated: the port talks to the
 * bridge only, not to other isolated ports (`icc: false`).
 */
export const setPortMode = (index: number, isolated: boolean): NetlinkRequest =>
  portAttributes(`set mode of bridge port ${index}`, index, [
    [k.IFLA_BRPORT_MODE, Buffer.of(1)],
    [k.IFLA_BRPORT_ISOLATED, Buffer.of(isolated ? 1 : 0)],
  ]);

export const deleteLink = (name: string): NetlinkRequest => ({
  what: `delete link ${name}`,
  type: k.RTM_DELLINK,
  flags: 0,
  body: ifinfo(),
  attributes: [[k.IFLA_IFNAME, text(name)]],
});

export const getLink = (name: string): NetlinkRequest => ({
  what: `get link ${name}`,
  type: k.RTM_GETLINK,
  flags: 0,
  body: ifinfo(),
  attributes: [[k.IFLA_IFNAME, text(name)]],
});

export const getLinks = (): NetlinkRequest => ({
  what: "list links",
  type: k.RTM_GETLINK,
  flags: k.NLM_F_DUMP,
  body: ifinfo(),
  attributes: [],
});

/** Only those of one kind: the kernel filters. */
export const getLinksOfKind = (name: string): NetlinkRequest => ({
  ...getLinks(),
  what: `list links of kind ${name}`,
  attributes: [kind(name)],
});

const families = { 4: k.AF_INET, 6: k.AF_INET6 } as const;

export const getRoutes = (family: 4 | 6): NetlinkRequest => ({
  what: "list routes",
  type: k.RTM_GETROUTE,
  flags: k.NLM_F_DUMP,
  body: Buffer.concat([Buffer.of(families[family]), Buffer.alloc(11)]),
  attributes: [],
});

export const getAddresses = (family: 4 | 6): NetlinkRequest => ({
  what: "list addresses",
  type: k.RTM_GETADDR,
  flags: k.NLM_F_DUMP,
  body: Buffer.concat([Buffer.of(families[family]), Buffer.alloc(7)]),
  attributes: [],
});

/** IPv6 without duplicate address detection: the engine gives no address twice, and it is usable at once. */
export function addAddress(index: number, { bytes, prefix }: PrefixedAddress): NetlinkRequest {
  const body = Buffer.alloc(8);
  const ipv4 = bytes.length === 4;
  body.writeUInt8(familyOf(bytes), 0);
  body.writeUInt8(prefix, 1);
  body.writeUInt8(ipv4 ? 0 : k.IFA_F_NODAD, 2);
  body.writeUInt32LE(index, 4);
  return {
    what: `add address ${told(bytes)}/${prefix}`,
    type: k.RTM_NEWADDR,
    flags: k.NLM_F_CREATE | k.NLM_F_REPLACE,
    body,
    attributes: [
      [k.IFA_LOCAL, bytes],
      [k.IFA_ADDRESS, bytes],
      ...(ipv4 && prefix < 31 ? [[k.IFA_BROADCAST, broadcast(bytes, prefix)] as const] : []),
    ],
  };
}

function broadcast(bytes: Uint8Array, prefix: number): Buffer {
  const address = Buffer.from(bytes);
  const host = prefix === 0 ? 0xffffffff : 2 ** (32 - prefix) - 1;
  address.writeUInt32BE((address.readUInt32BE(0) | host) >>> 0);
  return address;
}

const routeBody = (family: number, scope: number): Buffer =>
  Buffer.of(family, 0, 0, 0, k.RT_TABLE_MAIN, k.RTPROT_BOOT, scope, k.RTN_UNICAST, 0, 0, 0, 0);

/** Through a gateway of either family. */
export const addDefaultRoute = (index: number, gateway: Uint8Array): NetlinkRequest => ({
  what: "add default route",
  type: k.RTM_NEWROUTE,
  flags: k.NLM_F_CREATE | k.NLM_F_REPLACE,
  body: routeBody(familyOf(gateway), k.RT_SCOPE_UNIVERSE),
  attributes: [
    [k.RTA_GATEWAY, gateway],
    [k.RTA_OIF, u32(index)],
  ],
});

/** Straight out of an interface. */
export const addDeviceRoute = (index: number, family: 4 | 6): NetlinkRequest => ({
  what: "add default route",
  type: k.RTM_NEWROUTE,
  flags: k.NLM_F_CREATE | k.NLM_F_REPLACE,
  body: routeBody(family === 4 ? k.AF_INET : k.AF_INET6, family === 4 ? k.RT_SCOPE_LINK : 0),
  attributes: [[k.RTA_OIF, u32(index)]],
});

/** Takes one default route of the family away; ESRCH when there is none. */
export const deleteDefaultRoute = (family: 4 | 6): NetlinkRequest => ({
  what: "delete default route",
  type: k.RTM_DELROUTE,
  flags: 0,
  body: Buffer.of(family === 4 ? k.AF_INET : k.AF_INET6, 0, 0, 0, k.RT_TABLE_MAIN, 0, 255, 0, 0, 0, 0, 0),
  attributes: [],
});

const neighbour = (family: number, index: number, state: number, flags: number): Buffer => {
  const body = Buffer.alloc(12);
  body.writeUInt8(family, 0);
  body.writeInt32LE(index, 4);
  body.writeUInt16LE(state, 8);
  body.writeUInt8(flags, 10);
  return body;
};

/** Tells the host which MAC an address has now: no stale entry of an earlier owner, and no ARP before the first packet. */
export const setNeighbour = (index: number, address: Uint8Array, mac: Uint8Array): NetlinkRequest => ({
  what: `set neighbour ${told(address)}`,
  type: k.RTM_NEWNEIGH,
  flags: k.NLM_F_CREATE | k.NLM_F_REPLACE,
  body: neighbour(familyOf(address), index, k.NUD_STALE, 0),
  attributes: [
    [k.NDA_DST, address],
    [k.NDA_LLADDR, mac],
  ],
});
