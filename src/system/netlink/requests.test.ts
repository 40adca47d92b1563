import { expect, test } from "bun:test";
import {
  type Attribute,
  decodeAttributes,
  encodeAttributes,
  type NetlinkMessage,
  type NetlinkRequest,
  textOf,
} from "./codec.ts";
import { forgetFlow, forgetUdpTo, isUdpAt, listUdp } from "./conntrack.ts";
import * as k from "./constants.ts";
import { decodeAddress, decodeLink, decodeRoute } from "./replies.ts";
import * as request from "./requests.ts";

const read = ({ attributes }: NetlinkRequest): Map<number, Buffer> =>
  decodeAttributes(encodeAttributes(attributes));
const inside = (bytes: Buffer | undefined): Map<number, Buffer> => decodeAttributes(bytes ?? Buffer.alloc(0));
const mac = Buffer.from("0242ac110002", "hex");

test("a veth's peer is made in its namespace, with its final name and MAC", () => {
  const wanted = { host: "vethx", peer: "eth0", mac, mtu: 1450, netnsFd: 9 };
  const info = inside(read(request.createVeth(wanted)).get(k.IFLA_LINKINFO));
  expect(textOf(info.get(k.IFLA_INFO_KIND))).toBe("veth");
  const peer = inside(inside(info.get(k.IFLA_INFO_DATA)).get(k.VETH_INFO_PEER)?.subarray(16));
  expect(textOf(peer.get(k.IFLA_IFNAME))).toBe("eth0");
  expect(peer.get(k.IFLA_ADDRESS)).toEqual(mac);
  expect(peer.get(k.IFLA_MTU)?.readUInt32LE(0)).toBe(1450);
  expect(peer.get(k.IFLA_NET_NS_FD)?.readUInt32LE(0)).toBe(9);
});

test("a veth refuses to take the place of a link that exists", () => {
  expect(request.createVeth({ host: "v", peer: "eth0", mac, mtu: 1, netnsFd: 1 }).flags).toBe(
    k.NLM_F_CREATE | k.NLM_F_EXCL,
  );
});

test("an address carries its broadcast address", () => {
  const wanted = request.addAddress(2, { bytes: Buffer.of(172, 17, 0, 2), prefix: 16 });
  expect(read(wanted).get(k.IFA_BROADCAST)).toEqual(Buffer.of(172, 17, 255, 255));
  expect(wanted.body.slice(0, 2)).toEqual(Buffer.of(k.AF_INET, 16));
});

test("the broadcast address of the upper half of the address space is no negative number", () => {
  const wanted = request.addAddress(2, { bytes: Buffer.of(192, 168, 1, 1), prefix: 24 });
  expect(read(wanted).get(k.IFA_BROADCAST)).toEqual(Buffer.of(192, 168, 1, 255));
});

test("a default route names no destination", () => {
  const attributes = read(request.addDefaultRoute(2, Buffer.of(172, 17, 0, 1)));
  expect(attributes.has(k.RTA_DST)).toBe(false);
  expect(attributes.get(k.RTA_GATEWAY)).toEqual(Buffer.of(172, 17, 0, 1));
});

test("a disabled port forgets what was learned from it", () => {
  const info = inside(read(request.disablePort(4)).get(k.IFLA_PROTINFO));
  expect([...info.keys()]).toEqual([k.IFLA_BRPORT_STATE, k.IFLA_BRPORT_FLUSH]);
  expect(request.disablePort(4).body[0]).toBe(k.AF_BRIDGE);
});

test("a port can be kept from its neighbours", () => {
  const isolation = (isolated: boolean): Buffer | undefined =>
    inside(read(request.setPortMode(4, isolated)).get(k.IFLA_PROTINFO)).get(k.IFLA_BRPORT_ISOLATED);
  expect(isolation(true)).toEqual(Buffer.of(1));
  expect(isolation(false)).toEqual(Buffer.of(0));
});

const message = (type: number, body: Uint8Array, attributes: readonly Attribute[]) => ({
  type,
  flags: 0,
  sequence: 1,
  payload: Buffer.concat([body, encodeAttributes(attributes)]),
});

test("a link tells its name, its kind and its bridge", () => {
  const body = Buffer.alloc(16);
  body.writeInt32LE(7, 4);
  body.writeUInt32LE(1, 8);
  const link = decodeLink(
    message(k.RTM_NEWLINK, body, [
      [k.IFLA_IFNAME, Buffer.from("vethx\0")],
      [k.IFLA_MASTER, Buffer.of(3, 0, 0, 0)],
      [k.IFLA_LINKINFO, [[k.IFLA_INFO_KIND, Buffer.from("veth\0")]]],
    ]),
  );
  expect(link).toEqual({ index: 7, name: "vethx", master: 3, up: true, kind: "veth", alias: "" });
});

test("a route of the main table tells its destination; the default route does not count", () => {
  const body = (bits: number): Buffer =>
    Buffer.of(k.AF_INET, bits, 0, 0, k.RT_TABLE_MAIN, 0, 0, k.RTN_UNICAST, 0, 0, 0, 0);
  const to = [k.RTA_DST, Buffer.of(10, 0, 0, 0)] as const;
  expect(decodeRoute(message(k.RTM_NEWROUTE, body(8), [to]))).toEqual({
    bytes: Buffer.of(10, 0, 0, 0),
    prefix: 8,
    link: 0,
  });
  expect(decodeRoute(message(k.RTM_NEWROUTE, body(0), []))).toBeUndefined();
});

test("an address is read with its prefix and link", () => {
  const body = Buffer.of(k.AF_INET, 24, 0, 0, 5, 0, 0, 0);
  const local = [k.IFA_LOCAL, Buffer.of(192, 0, 2, 2)] as const;
  expect(decodeAddress(message(k.RTM_NEWADDR, body, [local]))).toEqual({
    bytes: Buffer.of(192, 0, 2, 2),
    prefix: 24,
    link: 5,
  });
});

test("flows are forgotten by the address that answers them, and by nothing else", () => {
  const wanted = forgetUdpTo(Buffer.of(172, 17, 0, 2));
  const attributes = read(wanted);
  expect(wanted.type).toBe(0x102);
  const reply = inside(attributes.get(2));
  expect(inside(reply.get(1)).get(1)).toEqual(Buffer.of(172, 17, 0, 2));
  expect(inside(reply.get(2)).get(1)).toEqual(Buffer.of(17));
  // without the filter's flags the kernel would look for one flow, or forget all
  expect(inside(attributes.get(25)).get(2)).toEqual(Buffer.of(9, 0, 0, 0));
});

test("flows to ports are listed where nothing redirects them, and forgotten one by one", () => {
  const attributes = read(listUdp(6));
  expect(inside(attributes.get(25)).get(1)).toEqual(Buffer.of(8, 0, 0, 0));
  expect([attributes.get(3), attributes.get(26)]).toEqual([Buffer.alloc(4), Buffer.of(0, 0, 0, 0x30)]);
  const tuple = (protocol: number): Attribute => [
    1,
    [
      [
        2,
        [
          [1, Buffer.of(protocol)],
          [3, Buffer.of(0x14, 0xe9)],
        ],
      ],
    ],
  ];
  const flow = (protocol: number, status: number): NetlinkMessage => {
    const told = encodeAttributes([tuple(protocol), [3, Buffer.of(0, 0, 0, status)]]);
    return { type: 0x100, flags: 0, sequence: 1, payload: Buffer.concat([Buffer.of(2, 0, 0, 0), told]) };
  };
  const ports = new Set([5353]);
  expect(isUdpAt(flow(17, 0x0a), ports)).toBe(true);
  expect(isUdpAt(flow(17, 0x2a), ports)).toBe(false);
  expect(isUdpAt(flow(6, 0x0a), ports)).toBe(false);
  expect(isUdpAt(flow(17, 0x0a), new Set([5354]))).toBe(false);
  const forgotten = forgetFlow(flow(17, 0), 4);
  expect(forgotten.type).toBe(0x102);
  expect(encodeAttributes(forgotten.attributes)).toEqual(encodeAttributes([tuple(17)]));
});
