import { decodeAddress, decodeRoute, type Prefix } from "../../system/netlink/replies.ts";
import { getAddresses, getRoutes } from "../../system/netlink/requests.ts";
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  type Netlink,
  type NetlinkProtocol,
  NetlinkSocket,
} from "../../system/netlink/socket.ts";
import { getTable } from "../../system/netlink/tables.ts";
import { listNamespaces } from "../../system/netns.ts";
import { findLink } from "./links.ts";

/**
 * What the engine asks the host at its start, on its own thread: a few netlink questions, together about a
 * millisecond, which spare an engine without containers the network Worker and its memory.
 */
function asking<T>(protocol: NetlinkProtocol, ask: (netlink: Netlink) => T): T {
  const netlink = new NetlinkSocket(protocol);
  try {
    return ask(netlink);
  } finally {
    netlink.close();
  }
}

/** Routes and addresses of the host, but those of one interface. */
export const hostSubnets = (except: string): Prefix[] =>
  asking(NETLINK_ROUTE, (netlink) => {
    const own = findLink(netlink, except)?.index;
    const routes = netlink.query(getRoutes()).map(decodeRoute);
    const addresses = netlink.query(getAddresses()).map(decodeAddress);
    return [...routes, ...addresses].flatMap((item) =>
      item && item.link !== own ? [{ address: item.address, prefix: item.prefix }] : [],
    );
  });

/** Whether an earlier run left anything in the kernel. */
export const hasLeftovers = (own: { bridge: string; table: string; netnsFolder: string }): boolean =>
  listNamespaces(own.netnsFolder).length > 0 ||
  asking(NETLINK_ROUTE, (netlink) => findLink(netlink, own.bridge) !== undefined) ||
  asking(NETLINK_NETFILTER, (netlink) => hasTable(netlink, own.table));

function hasTable(netlink: Netlink, table: string): boolean {
  try {
    netlink.query(getTable(table));
    return true;
  } catch (error) {
    // ENOENT: no such table; EINVAL, EOPNOTSUPP: a kernel without nftables
    const { code } = error as { code?: unknown };
    if (code === "ENOENT" || code === "EINVAL" || code === "EOPNOTSUPP") return false;
    throw error;
  }
}
