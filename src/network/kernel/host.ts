import { listNamespaces, type NamespaceThread, removeNamespace } from "../../system/namespaces/netns.ts";
import { forgetFlow, forgetUdpTo, isUdpAt, listUdp } from "../../system/netlink/conntrack.ts";
import { decodeLink } from "../../system/netlink/replies.ts";
import { disablePort, getLinks, setUp } from "../../system/netlink/requests.ts";
import { NETLINK_NETFILTER, type Netlink } from "../../system/netlink/socket.ts";
import type { Nftables } from "../../system/nftables/nftables.ts";
import type { NetworkFinding } from "../../types/network-doctor.ts";
import { formatSubnet } from "../addresses/ip.ts";
import { flowsBefore } from "../host/flows.ts";
import { type RuleModel, removeTable, ruleset } from "../host/rules.ts";
import type {
  BridgePlan,
  EndpointPlan,
  ExaminePlan,
  FlowsPlan,
  ForeignChain,
  NetworkCalls,
  ParentPlan,
  PortPlan,
  ReroutePlan,
  SweepPlan,
  TearDownPlan,
  UnwirePlan,
} from "../worker/protocol.ts";
import { bridgeMark, ensureBridge } from "./bridge.ts";
import { joinBridge, removeInside, reroute, type WireTools, wireEndpoint } from "./endpoint.ts";
import { examine } from "./examine.ts";
import { closePassage, foreignChains, openPassage } from "./firewalls.ts";
import { dropLink, findLink } from "./links.ts";
import { differences } from "./own-rules.ts";
import { ensureParent, removeParent } from "./parent.ts";
import { subnetsSeen } from "./probe.ts";

interface HostTools extends WireTools {
  thread: Pick<NamespaceThread, "enter" | "create" | "holdOwn" | "close">;
  nftables: Nftables;
}

/** no ctnetlink (EINVAL, EOPNOTSUPP), no filters in it (EINVAL), nothing there (ENOENT) */
const cannotForget: ReadonlySet<string> = new Set(["EINVAL", "EOPNOTSUPP", "ENOENT", "EPROTONOSUPPORT"]);

/** The Worker's hands: each call changes the kernel's networking and returns when the change is there. Keeps no state. */
export class HostNetwork implements NetworkCalls {
  private readonly tools: HostTools;

  constructor(tools: HostTools) {
    this.tools = tools;
  }

  prepare({ bridges, ports, rules }: { bridges: BridgePlan[]; ports: PortPlan[]; rules: RuleModel }): void {
    // the rules first: a bridge without them would let loopback's packets in
    this.tools.nftables.run(ruleset(rules));
    this.forgetFlows(flowsBefore(rules));
    for (const bridge of bridges) ensureBridge(this.tools.netlink, bridge);
    this.rejoin(ports);
  }

  addBridge({ commands, bridge }: { commands: string; bridge: BridgePlan }): void {
    this.tools.nftables.run(commands);
    ensureBridge(this.tools.netlink, bridge);
  }

  removeBridge({ commands, bridge }: { commands: string; bridge: string }): void {
    this.dropBridge(bridge);
    this.tools.nftables.run(commands);
  }

  makeParent(plan: ParentPlan): void {
    ensureParent(this.tools.netlink, plan);
  }

  removeParent({ name }: { name: string }): void {
    removeParent(this.tools.netlink, name);
  }

  makeNamespace({ path, existing }: { path: string; existing?: string }): void {
    const setUpLoopback = (): void => {
      const netlink = this.tools.openNetlink();
      try {
        netlink.apply([setUp("lo")]);
      } finally {
        netlink.close();
      }
    };
    this.tools.thread.create(path, setUpLoopback, existing);
  }

  holdHostNamespace({ path }: { path: string }): void {
    this.tools.thread.holdOwn(path);
  }

  wire(plan: EndpointPlan): void {
    wireEndpoint(this.tools, plan);
  }

  unwire({ netnsPath, name, link }: UnwirePlan): void {
    if (link !== "") this.silence(link);
    if (link === "") removeInside(this.tools, netnsPath, name);
    else if (findLink(this.tools.netlink, link)) dropLink(this.tools.netlink, link);
  }

  reroute(plan: ReroutePlan): void {
    reroute(this.tools, plan);
  }

  changeRules({ commands }: { commands: string }): void {
    this.tools.nftables.run(commands);
  }

  forgetFlows({ to, at }: FlowsPlan): void {
    if (to.length + at.length === 0) return;
    const netfilter = this.tools.openNetlink(NETLINK_NETFILTER);
    try {
      for (const address of to) tolerantly(() => netfilter.apply([forgetUdpTo(address)]));
      for (const family of [4, 6] as const) tolerantly(() => forgetAt(netfilter, family, at));
    } finally {
      netfilter.close();
    }
  }

  /**
   * The ports stop forwarding first, so that address and MAC may be had by others at once; the links end with their
   * namespaces, which the kernel takes down in its own time.
   */
  tearDown({ links, namespaces }: TearDownPlan): void {
    for (const name of links) this.silence(name);
    for (const path of namespaces) removeNamespace(path);
  }

  removeAll({ bridges, table }: { bridges: string[]; table: string }): void {
    for (const name of bridges) this.dropBridge(name);
    this.tools.nftables.run(removeTable(table));
  }

  sweep({ netnsFolder, namespaces, links, bridges, ports, rules, table }: SweepPlan): void {
    const kept = new Set(namespaces);
    for (const path of listNamespaces(netnsFolder)) if (!kept.has(path)) removeNamespace(path);
    const names = bridges.map(({ name }) => name);
    if (!rules) {
      this.removeAll({ bridges: names, table });
      return;
    }
    this.dropStrayPorts(new Set(names), new Set(links));
    this.prepare({ bridges, ports, rules });
  }

  hostSubnets({ except }: { except: string[] }): string[] {
    return subnetsSeen(this.tools.netlink, except).map(formatSubnet);
  }

  examine(plan: ExaminePlan): NetworkFinding[] {
    return examine(this.tools, plan);
  }

  differences(model: RuleModel): string[] {
    return differences(this.tools.nftables, model);
  }

  foreignChains({ table }: { table: string }): ForeignChain[] {
    return foreignChains(this.tools.nftables, table);
  }

  openPassage({ chain, table }: { chain: ForeignChain; table: string }): void {
    openPassage(this.tools.nftables, chain, table);
  }

  closePassage({ chain, table }: { chain: ForeignChain; table: string }): void {
    closePassage(this.tools.nftables, chain, table);
  }

  dropStrays({ bridges, links }: { bridges: string[]; links: string[] }): void {
    this.dropStrayPorts(new Set(bridges), new Set(links));
  }

  /** Gives back what the thread holds; it is ended next. */
  close(): void {
    this.tools.netlink.close();
    this.tools.nftables.close();
    this.tools.thread.close();
  }

  private silence(name: string): void {
    const link = findLink(this.tools.netlink, name);
    if (link && link.master !== 0) this.tools.netlink.apply([disablePort(link.index)]);
    else if (link) dropLink(this.tools.netlink, name);
  }

  /** Links that lost their bridge (it was made anew, or others took them out) come back. One listing for all. */
  private rejoin(ports: readonly PortPlan[]): void {
    if (ports.length === 0) return;
    const links = this.tools.netlink.query(getLinks()).flatMap((message) => decodeLink(message) ?? []);
    const byName = new Map(links.map((link) => [link.name, link]));
    for (const { link, bridge, isolated } of ports) {
      const bridgeIndex = byName.get(bridge)?.index;
      const found = byName.get(link);
      if (bridgeIndex === undefined || !found || found.master === bridgeIndex) continue;
      joinBridge(this.tools.netlink, { link, bridgeIndex, isolated });
    }
  }

  /**
   * A veth whose namespace the kernel has not ended yet would outlive its bridge for a moment. A bridge that the user
   * made stays.
   */
  private dropBridge(name: string): void {
    const found = findLink(this.tools.netlink, name);
    if (found?.kind !== "bridge" || found.alias !== bridgeMark) return;
    this.dropStrayPorts(new Set([name]), new Set());
    dropLink(this.tools.netlink, name);
  }

  /** Ports of these bridges that are not `kept`; one listing of links, however many bridges there are. */
  private dropStrayPorts(bridges: ReadonlySet<string>, kept: ReadonlySet<string>): void {
    const links = this.tools.netlink.query(getLinks()).flatMap((message) => decodeLink(message) ?? []);
    const indexes = new Set(links.filter(({ name }) => bridges.has(name)).map(({ index }) => index));
    for (const { name, master, kind } of links)
      if (indexes.has(master) && kind === "veth" && !kept.has(name)) dropLink(this.tools.netlink, name);
  }
}

/** One walk through the connection table for all of these ports, however many. */
function forgetAt(netfilter: Netlink, family: 4 | 6, at: FlowsPlan["at"]): void {
  const ports = new Set<number>();
  for (const each of at)
    if (each.family === family) for (let port = each.first; port <= each.last; port++) ports.add(port);
  if (ports.size === 0) return;
  for (const flow of netfilter.query(listUdp(family), (one) => isUdpAt(one, ports)))
    tolerantly(() => netfilter.apply([forgetFlow(flow, family)]));
}

/** Kernels that cannot: those flows end by their own timeouts. */
function tolerantly(forget: () => void): void {
  try {
    forget();
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (!cannotForget.has(code)) throw error;
  }
}
