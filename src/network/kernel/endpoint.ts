import { closeSync, openSync } from "node:fs";
import type { NamespaceThread } from "../../system/namespaces/netns.ts";
import type { NetlinkRequest } from "../../system/netlink/codec.ts";
import * as request from "../../system/netlink/requests.ts";
import type { Netlink, NetlinkProtocol } from "../../system/netlink/socket.ts";
import type { EndpointPlan, LinkPlan, ReroutePlan, RoutePlan } from "../worker/protocol.ts";
import { dropLink, findLink, linkIndex } from "./links.ts";
import { hasIpv6, setIpv6, setSysctl } from "./sysctl.ts";

export interface WireTools {
  thread: Pick<NamespaceThread, "enter">;
  netlink: Netlink;
  /** opens a socket of the namespace the thread is in */
  openNetlink: (protocol?: NetlinkProtocol) => Netlink;
}

type VethPlan = EndpointPlan & { link: Extract<LinkPlan, { kind: "veth" }> };

/** Makes an interface in the namespace; what is half made is taken away again. */
export function wireEndpoint(tools: WireTools, plan: EndpointPlan): void {
  if (plan.link.kind === "veth") wireVeth(tools, { ...plan, link: plan.link });
  else wireSlave(tools, plan, plan.link);
}

/**
 * A veth pair from the bridge into the namespace. The host's side joins the bridge last: with its peer up, the bridge
 * forwards at once (or when the kernel has told the carrier, within 2 ms); joined earlier, the port always waits.
 */
function wireVeth(tools: WireTools, plan: VethPlan): void {
  const { netlink } = tools;
  const { link, bridge, isolated } = plan.link;
  const mac = plan.mac ?? new Uint8Array(6);
  const bridgeIndex = linkIndex(netlink, bridge);
  withNamespace(plan.netnsPath, (netnsFd) =>
    netlink.apply([request.createVeth({ host: link, peer: plan.name, mac, mtu: plan.mtu, netnsFd })]),
  );
  try {
    tools.thread.enter(plan.netnsPath, () => configureInside(tools.openNetlink(), plan));
    joinBridge(netlink, { link, bridgeIndex, isolated });
    netlink.apply(plan.addresses.map(({ bytes }) => request.setNeighbour(bridgeIndex, bytes, mac)));
  } catch (error) {
    dropLink(netlink, link);
    throw error;
  }
}

export function joinBridge(
  netlink: Netlink,
  { link, bridgeIndex, isolated }: { link: string; bridgeIndex: number; isolated: boolean },
): void {
  const index = linkIndex(netlink, link);
  const joining = [
    request.setUp(link),
    request.setMaster(link, bridgeIndex),
    request.setPortMode(index, isolated),
  ];
  try {
    netlink.apply(hasIpv6() ? [request.noLinkLocal(link), ...joining] : joining);
  } catch (error) {
    // with an MTU below 1280 the link has no IPv6 whose addresses could be refused
    if ((error as { code?: unknown }).code !== "EAFNOSUPPORT") throw error;
    netlink.apply(joining);
  }
}

/** An interface that shares its parent's wire. */
function wireSlave(tools: WireTools, plan: EndpointPlan, link: Exclude<LinkPlan, { kind: "veth" }>): void {
  const { name, mtu, mac, netnsPath } = plan;
  const parent = linkIndex(tools.netlink, link.parent);
  withNamespace(netnsPath, (netnsFd) => {
    const options = { parent, name, mtu, netnsFd, ...(mac ? { mac } : {}) };
    const made =
      link.kind === "macvlan"
        ? request.createMacvlan({ ...options, mode: link.mode })
        : request.createIpvlan({ ...options, mode: link.mode, flag: link.flag });
    tools.netlink.apply([made]);
  });
  tools.thread.enter(netnsPath, () => {
    try {
      configureInside(tools.openNetlink(), plan);
    } catch (error) {
      dropInside(tools, name);
      throw error;
    }
  });
}

function withNamespace(path: string, act: (netnsFd: number) => void): void {
  const netnsFd = openSync(path, "r");
  try {
    act(netnsFd);
  } finally {
    closeSync(netnsFd);
  }
}

function configureInside(netlink: Netlink, plan: EndpointPlan): void {
  try {
    const index = linkIndex(netlink, plan.name);
    // a network without IPv6 gives its interfaces none, not even a link-local address
    setIpv6(plan.name, plan.ipv6);
    for (const [path, value] of plan.sysctls) setSysctl(path, value);
    netlink.apply([
      request.setUp(plan.name),
      ...[...plan.addresses, ...plan.linkLocal].map((address) => request.addAddress(index, address)),
      ...plan.routes.map((route) => routeRequest(index, route)),
    ]);
  } finally {
    netlink.close();
  }
}

const routeRequest = (index: number, route: RoutePlan): NetlinkRequest =>
  "gateway" in route
    ? request.addDefaultRoute(index, route.gateway)
    : request.addDeviceRoute(index, route.family);

/** Gives a namespace these default routes, and no others. */
export function reroute(tools: WireTools, { netnsPath, routes }: ReroutePlan): void {
  tools.thread.enter(netnsPath, () => {
    const netlink = tools.openNetlink();
    try {
      for (const family of [4, 6] as const) dropDefaults(netlink, family);
      netlink.apply(routes.map((route) => routeRequest(linkIndex(netlink, route.name), route)));
    } finally {
      netlink.close();
    }
  });
}

/** ESRCH: none is left; EAFNOSUPPORT, EOPNOTSUPP: a kernel without the family */
const noMore: ReadonlySet<string> = new Set(["ESRCH", "ENOENT", "ENETUNREACH", "EAFNOSUPPORT", "EOPNOTSUPP"]);

function dropDefaults(netlink: Netlink, family: 4 | 6): void {
  for (let tries = 0; tries < 16; tries++) {
    try {
      netlink.apply([request.deleteDefaultRoute(family)]);
    } catch (error) {
      if (noMore.has((error as { code?: string }).code ?? "")) return;
      throw error;
    }
  }
}

/** Deletes an interface of a namespace that others go on using; one that is gone is a success. */
export function removeInside(tools: WireTools, netnsPath: string, name: string): void {
  tools.thread.enter(netnsPath, () => dropInside(tools, name));
}

function dropInside(tools: WireTools, name: string): void {
  const netlink = tools.openNetlink();
  try {
    if (findLink(netlink, name)) dropLink(netlink, name);
  } finally {
    netlink.close();
  }
}
