import { decodeAttributes, decodeMessages, textOf } from "../../system/netlink/codec.ts";
import { AF_UNSPEC, IFLA_IFNAME, RTM_DELLINK } from "../../system/netlink/constants.ts";
import { NetlinkListener } from "../../system/netlink/listener.ts";
import { NETLINK_NETFILTER, NETLINK_ROUTE } from "../../system/netlink/socket.ts";
import { NFNLGRP_NFTABLES, senderOf, tableMark } from "../../system/netlink/tables.ts";

const RTNLGRP_LINK = 1;

/** What others have changed since it was asked last. */
export interface Found {
  /** packet rules of the engine's own table */
  rules: boolean;
  /** something the engine needs may not be there any more */
  presence: boolean;
}

interface ChangesOptions {
  table: string;
  /** names of the engine's bridges now */
  bridges: () => string[];
  /** the port of the engine's own socket for packet rules, whose changes are not others' */
  own: () => number | undefined;
  /** something was heard: ask for it with `take` in a while; nothing is done until then */
  heard: () => void;
  /** from now on nothing is heard */
  ended: () => void;
}

export interface Changes {
  take(): Found;
  close(): void;
}

/** Hears of changes of packet rules and of bridges that go. On the main thread: it costs two descriptors and no time at rest. */
export async function openChanges(options: ChangesOptions): Promise<Changes> {
  const mark = tableMark(options.table);
  /** ports of those who changed our table; few, since what is heard is bounded */
  const touchedBy = new Set<number>();
  let bridgeWent = false;
  const rules = await NetlinkListener.open({
    protocol: NETLINK_NETFILTER,
    group: NFNLGRP_NFTABLES,
    heard: (packet) => {
      const sender = senderOf(packet);
      if (sender === options.own()) return;
      if (packet.includes(mark)) touchedBy.add(sender);
      rules.pause();
      options.heard();
    },
    ended: options.ended,
  });
  const links = await NetlinkListener.open({
    protocol: NETLINK_ROUTE,
    group: RTNLGRP_LINK,
    only: { type: RTM_DELLINK, family: AF_UNSPEC },
    heard: (packet) => {
      if (!options.bridges().includes(deletedLink(packet))) return;
      bridgeWent = true;
      options.heard();
    },
    ended: options.ended,
  }).catch((error: unknown) => {
    rules.close();
    throw error;
  });
  return {
    take() {
      const lostRules = rules.drain();
      const lostLinks = links.drain();
      // only now is it sure to be known: a Worker that has just started tells its port while its changes are under way
      touchedBy.delete(options.own() ?? -1);
      const found = { rules: lostRules || touchedBy.size > 0, presence: lostLinks || bridgeWent };
      touchedBy.clear();
      bridgeWent = false;
      return found;
    },
    close() {
      rules.close();
      links.close();
    },
  };
}

/** The name of an interface that went; a packet holds one message. */
function deletedLink(packet: Buffer): string {
  const [message] = decodeMessages(packet);
  return message ? textOf(decodeAttributes(message.payload.subarray(16)).get(IFLA_IFNAME)) : "";
}
