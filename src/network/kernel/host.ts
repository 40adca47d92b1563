import { forgetFlowsTo } from "../../system/netlink/conntrack.ts";
import { decodeLink } from "../../system/netlink/replies.ts";
import { disablePort, getLinks, setUp } from "../../system/netlink/requests.ts";
import { NETLINK_NETFILTER } from "../../system/netlink/socket.ts";
import { listNamespaces, type NamespaceThread, removeNamespace } from "../../system/netns.ts";
import type { Nftables } from "../../system/nftables.ts";
import { ipv4Bytes } from "../ipv4.ts";
import { type RuleModel, removeTable, ruleset } from "../rules.ts";
import type { BridgePlan, EndpointPlan, NetworkCalls, SweepPlan, TearDownPlan } from "../worker-protocol.ts";
import { ensureBridge } from "./bridge.ts";
import { type WireTools, wireEndpoint } from "./endpoint.ts";
import { dropLink, findLink } from "./links.ts";

export interface HostTools extends WireTools {
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

  prepare({ bridges, rules }: { bridges: BridgePlan[]; rules: RuleModel }): void {
    // the rules first: a bridge without them would let loopback's packets in
    this.tools.nftables.run(ruleset(rules));
    for (const bridge of bridges) ensureBridge(this.tools.netlink, bridge);
  }

  makeNamespace({ path }: { path: string }): void {
    this.tools.thread.create(path, () => {
      const netlink = this.tools.openNetlink();
      try {
        netlink.apply([setUp("lo")]);
      } finally {
        netlink.close();
      }
    });
  }

  holdHostNamespace({ path }: { path: string }): void {
    this.tools.thread.holdOwn(path);
  }

  wire(plan: EndpointPlan): void {
    wireEndpoint(this.tools, plan);
  }

  changeRules({ commands }: { commands: string }): void {
    this.tools.nftables.run(commands);
  }

  /**
   * The ports stop forwarding first, so that address and MAC may be had by others at once; the links end with their
   * namespaces, which the kernel takes down in its own time.
   */
  tearDown({ links, namespaces, flowsTo }: TearDownPlan): void {
    for (const name of links) this.silence(name);
    for (const address of flowsTo) this.forgetFlows(address);
    for (const path of namespaces) removeNamespace(path);
  }

  removeAll({ bridges, table }: { bridges: string[]; table: string }): void {
    for (const name of bridges) this.removeBridge(name);
    this.tools.nftables.run(removeTable(table));
  }

  sweep({ netnsFolder, namespaces, links, bridges, rules, table }: SweepPlan): void {
    const kept = new Set(namespaces);
    for (const path of listNamespaces(netnsFolder)) if (!kept.has(path)) removeNamespace(path);
    const names = bridges.map(({ name }) => name);
    if (!rules) {
      this.removeAll({ bridges: names, table });
      return;
    }
    const ports = new Set(links);
    for (const name of names)
      for (const port of this.portsOf(name)) if (!ports.has(port)) dropLink(this.tools.netlink, port);
    this.prepare({ bridges, rules });
  }

  /** Gives back what the thread holds; it is ended next. */
  close(): void {
    this.tools.netlink.close();
    this.tools.nftables.close();
    this.tools.thread.close();
  }

  private forgetFlows(address: number): void {
    const netfilter = this.tools.openNetlink(NETLINK_NETFILTER);
    try {
      netfilter.apply([forgetFlowsTo(ipv4Bytes(address))]);
    } catch (error) {
      // kernels that cannot: those flows end by their own timeouts
      const { code = "" } = error as { code?: string };
      if (!cannotForget.has(code)) throw error;
    } finally {
      netfilter.close();
    }
  }

  private silence(name: string): void {
    const link = findLink(this.tools.netlink, name);
    if (link && link.master !== 0) this.tools.netlink.apply([disablePort(link.index)]);
    else if (link) dropLink(this.tools.netlink, name);
  }

  /** A veth whose namespace the kernel has not ended yet would outlive its bridge for a moment. */
  private removeBridge(name: string): void {
    for (const port of this.portsOf(name)) dropLink(this.tools.netlink, port);
    if (findLink(this.tools.netlink, name)?.kind === "bridge") dropLink(this.tools.netlink, name);
  }

  private portsOf(bridge: string): string[] {
    const index = findLink(this.tools.netlink, bridge)?.index;
    if (index === undefined) return [];
    const links = this.tools.netlink.query(getLinks()).map(decodeLink);
    return links.flatMap((link) => (link?.master === index ? [link.name] : []));
  }
}
