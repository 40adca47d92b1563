import { type NetlinkRequest, text } from "./codec.ts";

/** One question to nf_tables (linux/netfilter/nf_tables.h) for which libnftables need not be loaded. */
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_GETTABLE = 1;
const NFPROTO_INET = 1;
const NFTA_TABLE_NAME = 1;

/** Answered with the table, or ENOENT; sent on a NETLINK_NETFILTER socket. */
export const getTable = (name: string): NetlinkRequest => ({
  what: `get table ${name}`,
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE,
  flags: 0,
  body: Buffer.of(NFPROTO_INET, 0, 0, 0),
  attributes: [[NFTA_TABLE_NAME, text(name)]],
});
