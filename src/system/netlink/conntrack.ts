import { type Attribute, decodeAttributes, type NetlinkMessage, type NetlinkRequest, u32 } from "./codec.ts";
import { AF_INET, AF_INET6, NLA_F_NESTED, NLM_F_DUMP } from "./constants.ts";

/** Connection tracking by netlink (linux/netfilter/nfnetlink_conntrack.h); sent on a NETLINK_NETFILTER socket. */
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_STATUS = 3;
const CTA_FILTER = 25;
const CTA_STATUS_MASK = 26;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V6_SRC = 3;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_FILTER_REPLY_FLAGS = 2;
const CTA_FILTER_F_CTA_IP_SRC = 1;
const CTA_FILTER_F_CTA_PROTO_NUM = 8;
const IPS_NAT = 0x30; // of either end
const IPPROTO_UDP = 17;

/** Kernels before 5.8 know no filter and refuse. Without attributes the kernel would forget all. */
const forget = (what: string, family: number, attributes: readonly Attribute[]): NetlinkRequest => ({
  what,
  type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE,
  flags: 0,
  body: Buffer.of(family, 0, 0, 0),
  attributes,
});

const filter = (orig: number, reply: number): Attribute => [
  CTA_FILTER,
  [
    [CTA_FILTER_ORIG_FLAGS, u32(orig)],
    [CTA_FILTER_REPLY_FLAGS, u32(reply)],
  ],
];

const udp: Attribute = [CTA_PROTO_NUM, Buffer.of(IPPROTO_UDP)];

/** Forgets every UDP flow that is answered from `address`: whoever keeps sending would be redirected there for ever. */
export function forgetUdpTo(address: Uint8Array): NetlinkRequest {
  const v4 = address.length === 4;
  return forget(`forget flows to ${Buffer.from(address).toString("hex")}`, v4 ? AF_INET : AF_INET6, [
    [
      CTA_TUPLE_REPLY,
      [
        [CTA_TUPLE_IP, [[v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, address]]],
        [CTA_TUPLE_PROTO, [udp]],
      ],
    ],
    filter(0, CTA_FILTER_F_CTA_IP_SRC | CTA_FILTER_F_CTA_PROTO_NUM),
  ]);
}

const familyOf = (family: 4 | 6): number => (family === 4 ? AF_INET : AF_INET6);

/** Asks for the UDP flows that are not redirected; kernels that know no filter, or not all of it, tell more. */
export const listUdp = (family: 4 | 6): NetlinkRequest => ({
  what: "list flows",
  type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET,
  flags: NLM_F_DUMP,
  body: Buffer.of(familyOf(family), 0, 0, 0),
  attributes: [
    [CTA_TUPLE_ORIG, [[CTA_TUPLE_PROTO, [udp]]]],
    [CTA_STATUS, Buffer.alloc(4)],
    [CTA_STATUS_MASK, Buffer.of(0, 0, 0, IPS_NAT)],
    filter(CTA_FILTER_F_CTA_PROTO_NUM, 0),
  ],
});

/** Whether a listed flow is one of UDP that nothing redirects, to one of these ports. */
export function isUdpAt({ payload }: NetlinkMessage, ports: { has(port: number): boolean }): boolean {
  const flow = decodeAttributes(payload.subarray(4));
  const to = decodeAttributes(
    decodeAttributes(flow.get(CTA_TUPLE_ORIG) ?? none).get(CTA_TUPLE_PROTO) ?? none,
  );
  const redirected = ((flow.get(CTA_STATUS) ?? none)[3] ?? 0) & IPS_NAT;
  const port = to.get(CTA_PROTO_DST_PORT);
  return (
    !redirected &&
    to.get(CTA_PROTO_NUM)?.[0] === IPPROTO_UDP &&
    port?.length === 2 &&
    ports.has(port.readUInt16BE())
  );
}

/** Forgets a listed flow: whoever sent to a port before it was published would never be redirected. */
export const forgetFlow = ({ payload }: NetlinkMessage, family: 4 | 6): NetlinkRequest =>
  forget("forget a flow", familyOf(family), [
    [CTA_TUPLE_ORIG | NLA_F_NESTED, decodeAttributes(payload.subarray(4)).get(CTA_TUPLE_ORIG) ?? none],
  ]);

const none = Buffer.alloc(0);
