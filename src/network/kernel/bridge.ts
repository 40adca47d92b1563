import { readdirSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import { addAddress, createBridge, setAlias, setUp } from "../../system/netlink/requests.ts";
import type { Netlink } from "../../system/netlink/socket.ts";
import type { BridgePlan } from "../worker/protocol.ts";
import { findLink, makeLink } from "./links.ts";
import { hasIpv6, setIpv6, setSysctl } from "./sysctl.ts";

/** marks a bridge as made by an engine: one that the user made stays when its network goes */
export const bridgeMark = "berth";

/**
 * Makes the bridge, or sees that it has what the plan says. Its MAC is set, not inherited from its ports: it would
 * change as containers come and go. Says whether it had to be made.
 */
export function ensureBridge(netlink: Netlink, plan: BridgePlan): boolean {
  const found = findLink(netlink, plan.name);
  if (found && found.kind !== "bridge")
    throw new EngineError("internal", `existing interface ${plan.name} is not a bridge`);
  if (!found)
    makeLink(netlink, [createBridge(plan.name, plan.mac, plan.mtu), setAlias(plan.name, bridgeMark)]);
  const index = found?.index ?? findLink(netlink, plan.name)?.index ?? 0;
  setIpv6(plan.name, plan.ipv6);
  if (plan.ipv6 && hasIpv6()) prepareIpv6(plan);
  netlink.apply([...plan.addresses.map((address) => addAddress(index, address)), setUp(plan.name)]);
  setSysctl(`ipv4/conf/${plan.name}/route_localnet`, "1");
  if (plan.forward) setSysctl("ipv4/ip_forward", "1");
  return !found;
}

/** A bridge with IPv6 is the containers' router and takes nobody else for one. */
function prepareIpv6({ name, forward }: BridgePlan): void {
  setSysctl(`ipv6/conf/${name}/accept_ra`, "0");
  if (forward) forwardIpv6();
}

/**
 * A host that forwards no longer listens to routers unless told so (`accept_ra` 2, Documentation/networking/ip-sysctl):
 * interfaces that do now go on doing it, or the host would lose its own default route.
 */
function forwardIpv6(): void {
  for (const name of readdirSync("/proc/sys/net/ipv6/conf")) {
    if (name === "all" || name === "default" || name === "lo") continue;
    setSysctl(`ipv6/conf/${name}/accept_ra`, "2", "1");
  }
  setSysctl("ipv6/conf/default/forwarding", "1");
  setSysctl("ipv6/conf/all/forwarding", "1");
}
