import { type NetlinkRequest, u32 } from "./codec.ts";
import { AF_INET, AF_INET6 } from "./constants.ts";

/** Connection tracking by netlink (linux/netfilter/nfnetlink_conntrack.h); sent on a NETLINK_NETFILTER socket. */
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const CTA_TUPLE_REPLY = 2;
const CTA_FILTER = 25;
const CTA_TUPLE_IP = 1;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V6_SRC = 3;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_FILTER_REPLY_FLAGS = 2;
const CTA_FILTER_F_CTA_IP_SRC = 1;

/**
 * Forgets every flow that is answered from `address`: a UDP client that keeps sending would otherwise be redirected to
 * a container that is gone. Kernels before 5.8 know no filter and refuse.
 */
export const forgetFlowsTo = (address: Uint8Array): NetlinkRequest => ({
  what: `forget flows to ${Buffer.from(address).toString("hex")}`,
  type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE,
  flags: 0,
  body: Buffer.of(address.length === 4 ? AF_INET : AF_INET6, 0, 0, 0),
  attributes: [
    [CTA_TUPLE_REPLY, [[CTA_TUPLE_IP, [[address.length === 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, address]]]]],
    [
      CTA_FILTER,
      [
        [CTA_FILTER_ORIG_FLAGS, u32(0)],
        [CTA_FILTER_REPLY_FLAGS, u32(CTA_FILTER_F_CTA_IP_SRC)],
      ],
    ],
  ],
});
