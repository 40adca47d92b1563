import { randomBytes } from "node:crypto";
import { EngineError } from "../../lib/errors.ts";
import { addAddress, createBridge, setUp } from "../../system/netlink/requests.ts";
import type { Netlink } from "../../system/netlink/socket.ts";
import { ipv4Bytes } from "../ipv4.ts";
import type { BridgePlan } from "../worker-protocol.ts";
import { findLink } from "./links.ts";
import { setSysctl } from "./sysctl.ts";

/** A random MAC of the locally administered, individual kind. */
export function randomMac(): Uint8Array {
  const mac = randomBytes(6);
  mac[0] = ((mac[0] ?? 0) & 0xfc) | 0x02;
  return mac;
}

/**
 * Makes the bridge, or sees that it has what the plan says. Its MAC is set, not inherited from its ports: it would
 * change as containers come and go. Gives its index.
 */
export function ensureBridge(netlink: Netlink, plan: BridgePlan): number {
  const found = findLink(netlink, plan.name);
  if (found && found.kind !== "bridge")
    throw new EngineError("internal", `network interface ${plan.name} exists and is no bridge`);
  if (!found) netlink.apply([createBridge(plan.name, randomMac(), plan.mtu)]);
  const index = found?.index ?? findLink(netlink, plan.name)?.index ?? 0;
  netlink.apply([
    addAddress(index, { bytes: ipv4Bytes(plan.address), prefix: plan.prefix }),
    setUp(plan.name),
  ]);
  setSysctl(`ipv4/conf/${plan.name}/route_localnet`, "1");
  if (plan.forward) setSysctl("ipv4/ip_forward", "1");
  return index;
}
