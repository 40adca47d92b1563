import { closeSync, existsSync, openSync } from "node:fs";
import * as request from "../../system/netlink/requests.ts";
import type { Netlink, NetlinkProtocol } from "../../system/netlink/socket.ts";
import type { NamespaceThread } from "../../system/netns.ts";
import { ipv4Bytes } from "../ipv4.ts";
import type { EndpointPlan } from "../worker-protocol.ts";
import { dropLink, linkIndex } from "./links.ts";
import { setSysctl } from "./sysctl.ts";

export interface WireTools {
  thread: Pick<NamespaceThread, "enter">;
  netlink: Netlink;
  /** opens a socket of the namespace the thread is in */
  openNetlink: (protocol?: NetlinkProtocol) => Netlink;
}

/**
 * A veth pair from the bridge into the namespace. The host's side joins the bridge last: with its peer up, the bridge
 * forwards at once (or when the kernel has told the carrier, within 2 ms); joined earlier, the port always waits.
 */
export function wireEndpoint(tools: WireTools, plan: EndpointPlan): void {
  const { netlink } = tools;
  const bridgeIndex = linkIndex(netlink, plan.bridge);
  const { link, name, mac, mtu } = plan;
  const netnsFd = openSync(plan.netnsPath, "r");
  try {
    netlink.apply([request.createVeth({ host: link, peer: name, mac, mtu, netnsFd })]);
  } finally {
    closeSync(netnsFd);
  }
  try {
    tools.thread.enter(plan.netnsPath, () => configurePeer(tools.openNetlink(), plan));
    const index = linkIndex(netlink, link);
    netlink.apply([
      ...(hasIpv6() ? [request.noLinkLocal(link)] : []),
      request.setUp(link),
      request.setMaster(link, bridgeIndex),
      request.setPortMode(index, plan.isolated),
      request.setNeighbour(bridgeIndex, ipv4Bytes(plan.address), mac),
    ]);
  } catch (error) {
    dropLink(netlink, link);
    throw error;
  }
}

function configurePeer(netlink: Netlink, plan: EndpointPlan): void {
  try {
    const index = linkIndex(netlink, plan.name);
    // a network without IPv6 gives its interfaces none, not even a link-local address
    if (hasIpv6()) setSysctl(`ipv6/conf/${plan.name}/disable_ipv6`, "1");
    netlink.apply([
      request.setUp(plan.name),
      request.addAddress(index, { bytes: ipv4Bytes(plan.address), prefix: plan.prefix }),
      ...(plan.gateway === 0 ? [] : [request.addDefaultRoute(index, ipv4Bytes(plan.gateway))]),
    ]);
  } finally {
    netlink.close();
  }
}

const hasIpv6 = (): boolean => existsSync("/proc/sys/net/ipv6");
