import { readFileSync } from "node:fs";
import { counted } from "../../lib/text/counted.ts";
import { decodeLink, type Link } from "../../system/netlink/replies.ts";
import { getLinks } from "../../system/netlink/requests.ts";
import type { Netlink } from "../../system/netlink/socket.ts";
import type { Nftables } from "../../system/nftables/nftables.ts";
import type { NetworkFinding } from "../../types/network-doctor.ts";
import type { ExaminePlan } from "../worker/protocol.ts";
import { legacyRules } from "./firewalls.ts";
import { differences } from "./own-rules.ts";

const well = (text: string): NetworkFinding => ({ state: "well", text, remedy: "" });
const broken = (text: string): NetworkFinding => ({ state: "broken", text, remedy: "" });

/** Compares what the kernel has with what is recorded. Changes nothing. */
export function examine(
  { netlink, nftables }: { netlink: Netlink; nftables: Nftables },
  plan: ExaminePlan,
): NetworkFinding[] {
  const links = netlink.query(getLinks()).flatMap((message) => decodeLink(message) ?? []);
  return [
    ...rules(nftables, plan),
    ...bridges(links, plan),
    ...ports(links, plan),
    ...strays(links, plan),
    forwarding(),
    ...legacyRules(),
  ];
}

function rules(nftables: Nftables, { rules: model }: ExaminePlan): NetworkFinding[] {
  const count = [...model.published, ...model.routed].reduce((sum, rule) => sum + (rule.count ?? 1), 0);
  const faults = differences(nftables, model);
  if (faults.length === 0)
    return [
      well(
        `packet rules are as recorded: ${counted(model.bridges.length, "network")}, ${counted(count, "published port")}`,
      ),
    ];
  if (faults.length === 1 && faults[0] === "the table")
    return [broken(`the packet rules (nftables table inet ${model.table}) are gone or not as recorded`)];
  return faults.map((name) => broken(`${name} of table inet ${model.table} is not as recorded`));
}

function bridges(links: readonly Link[], plan: ExaminePlan): NetworkFinding[] {
  const byName = new Map(links.map((link) => [link.name, link]));
  const faults = plan.bridges.flatMap(({ name }) => {
    const link = byName.get(name);
    if (!link) return [broken(`bridge ${name} is gone`)];
    if (link.kind !== "bridge") return [broken(`interface ${name} is not a bridge but ${link.kind}`)];
    return link.up ? [] : [broken(`bridge ${name} is down`)];
  });
  return faults.length > 0 ? faults : [well(`bridges: all ${plan.bridges.length} there and up`)];
}

function ports(links: readonly Link[], plan: ExaminePlan): NetworkFinding[] {
  const byName = new Map(links.map((link) => [link.name, link]));
  const faults = plan.ports.flatMap(({ link: name, bridge }) => {
    const link = byName.get(name);
    if (!link) return [broken(`a container's link ${name} is gone: restart the container`)];
    return link.master === byName.get(bridge)?.index
      ? []
      : [broken(`a container's link ${name} is not in bridge ${bridge}`)];
  });
  return faults.length > 0 ? faults : [well(`links: ${plan.ports.length} are in their bridges`)];
}

function strays(links: readonly Link[], plan: ExaminePlan): NetworkFinding[] {
  const own = new Set(
    links.filter(({ name }) => plan.bridges.some((one) => one.name === name)).map(({ index }) => index),
  );
  const known = new Set(plan.ports.map(({ link }) => link));
  return links
    .filter(({ name, kind, master }) => kind === "veth" && own.has(master) && !known.has(name))
    .map(({ name }) => broken(`link ${name} in one of the bridges belongs to no container`));
}

function forwarding(): NetworkFinding {
  const on = readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() === "1";
  return on ? well("the host forwards IPv4") : broken("the host does not forward IPv4 (net.ipv4.ip_forward)");
}
