import { type Attribute, type NetlinkRequest, u32 } from "./codec.ts";
import { AF_INET, AF_INET6 } from "./constants.ts";

/** Connection tracking by netlink (linux/netfilter/nfnetlink_conntrack.h); sent on a NETLINK_NETFILTER socket. */
const NFNL_SUBSYS_CTNETLINK = 1;
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
const CTA_FILTER_F_CTA_PROTO_DST_PORT = 32;
const IPS_NAT = 0x30; // of either end
const IPPROTO_UDP = 17;

/** Kernels before 5.8 know no filter and refuse. */
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

const bigEndian = (port: number): Buffer => Buffer.of(port >> 8, port & 255);

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

/**
 * Forgets the UDP flows to a port that are not redirected: whoever sent there before the port was published would never
 * be. Kernels before 5.13 forget those that are redirected, too, which costs them a look at the rules, or an answer.
 */
export const forgetUdpAt = (port: number, family: 4 | 6): NetlinkRequest =>
  forget(`forget flows to port ${port}`, family === 4 ? AF_INET : AF_INET6, [
    [CTA_TUPLE_ORIG, [[CTA_TUPLE_PROTO, [udp, [CTA_PROTO_DST_PORT, bigEndian(port)]]]]],
    [CTA_STATUS, Buffer.alloc(4)],
    [CTA_STATUS_MASK, Buffer.of(0, 0, 0, IPS_NAT)],
    filter(CTA_FILTER_F_CTA_PROTO_NUM | CTA_FILTER_F_CTA_PROTO_DST_PORT, 0),
  ]);
