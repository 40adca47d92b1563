import { encodeAttributes, type NetlinkRequest, text } from "./codec.ts";

/** What of nf_tables (linux/netfilter/nf_tables.h) needs no libnftables: a few questions, and what the kernel tells of changes. */
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_GETTABLE = 1;
const NFT_MSG_GETGEN = 16;
const NFPROTO_INET = 1;
const NFTA_TABLE_NAME = 1;

/** Answered with the generation of all rules, which grows with every change by anyone. */
export const getGeneration = (): NetlinkRequest => ({
  what: "get the generation of packet rules",
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN,
  flags: 0,
  body: Buffer.of(0, 0, 0, 0),
  attributes: [],
});

/** Its number: the first attribute (NFTA_GEN_ID, in the network's byte order) after the family's four bytes. */
export const decodeGeneration = (payload: Buffer): number | undefined =>
  payload.length >= 12 && payload.readUInt16LE(6) === 1 ? payload.readUInt32BE(8) : undefined;

/** Answered with the table, or ENOENT; sent on a NETLINK_NETFILTER socket. */
export const getTable = (name: string): NetlinkRequest => ({
  what: `get table ${name}`,
  type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE,
  flags: 0,
  body: Buffer.of(NFPROTO_INET, 0, 0, 0),
  attributes: [[NFTA_TABLE_NAME, text(name)]],
});

/** the group that is told of every change of packet rules (linux/netfilter/nfnetlink.h) */
export const NFNLGRP_NFTABLES = 7;

/** The netlink port of whoever made the change. A packet holds messages of one change. */
export const senderOf = (packet: Buffer): number => (packet.length < 16 ? 0 : packet.readUInt32LE(12));

/** What a packet holds that tells of a change in this table: in all messages the first attribute is the table's name. */
export const tableMark = (name: string): Buffer => {
  const attribute = encodeAttributes([[NFTA_TABLE_NAME, text(name)]]);
  return attribute.subarray(0, attribute.readUInt16LE(0));
};
