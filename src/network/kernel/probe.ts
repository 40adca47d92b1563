import { listNamespaces } from "../../system/namespaces/netns.ts";
import { decodeAddress, decodeLink, decodeRoute } from "../../system/netlink/replies.ts";
import { getAddresses, getLinksOfKind, getRoutes } from "../../system/netlink/requests.ts";
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  type Netlink,
  type NetlinkProtocol,
  NetlinkSocket,
} from "../../system/netlink/socket.ts";
import { decodeGeneration, getGeneration, getTable } from "../../system/netlink/tables.ts";
import { ipOfBytes, type Subnet, subnetOf } from "../addresses/ip.ts";
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

/** Routes and addresses of the host, but those of the named interfaces. */
export const hostSubnets = (except: readonly string[]): Subnet[] =>
  asking(NETLINK_ROUTE, (netlink) => subnetsSeen(netlink, except));

export function subnetsSeen(netlink: Netlink, except: readonly string[]): Subnet[] {
  const own = new Set(except.map((name) => findLink(netlink, name)?.index));
  return ([4, 6] as const).flatMap((family) => {
    const routes = netlink.query(getRoutes(family)).map(decodeRoute);
    const addresses = netlink.query(getAddresses(family)).map(decodeAddress);
    return [...routes, ...addresses].flatMap((item) =>
      item && !own.has(item.link) ? [subnetOf(ipOfBytes(item.bytes), item.prefix)] : [],
    );
  });
}

/** Whether an earlier run left anything in the kernel. */
export const hasLeftovers = (own: { bridge: string; table: string; netnsFolder: string }): boolean =>
  listNamespaces(own.netnsFolder).length > 0 ||
  asking(NETLINK_ROUTE, (netlink) => findLink(netlink, own.bridge) !== undefined) ||
  hasTable(own.table);

/** Whether the table of packet rules is there; false where the kernel has no nftables. */
const hasTable = (table: string): boolean =>
  asking(NETLINK_NETFILTER, (netlink) => {
    try {
      netlink.query(getTable(table));
      return true;
    } catch (error) {
      // ENOENT: no such table; EINVAL, EOPNOTSUPP: a kernel without nftables
      const { code } = error as { code?: unknown };
      if (code === "ENOENT" || code === "EINVAL" || code === "EOPNOTSUPP") return false;
      throw error;
    }
  });

/** Grows with every change of packet rules by anyone; undefined where the kernel does not tell. */
export const rulesGeneration = (): number | undefined =>
  asking(NETLINK_NETFILTER, (netlink) => {
    try {
      const [answer] = netlink.query(getGeneration());
      return answer && decodeGeneration(answer.payload);
    } catch {
      // a kernel without nftables: then there is nothing to look at
      return undefined;
    }
  });

/** What of these is not in the kernel, for a message. */
export function missingOnHost({ table, bridges }: { table: string; bridges: string[] }): string[] {
  const there = bridgesOnHost();
  return [
    ...(hasTable(table) ? [] : [`nftables table ${table}`]),
    ...bridges.filter((name) => !there.has(name)).map((name) => `bridge ${name}`),
  ];
}

/** Names of all bridges on the host. */
const bridgesOnHost = (): Set<string> =>
  asking(
    NETLINK_ROUTE,
    (netlink) =>
      new Set(
        netlink.query(getLinksOfKind("bridge")).flatMap((message) => {
          const link = decodeLink(message);
          return link?.kind === "bridge" ? [link.name] : [];
        }),
      ),
  );
