import { isIPv6 } from "node:net";

/**
 * The engine's packet rules as nft(8) text. One table holds all; its chains are fixed, and everything that varies is
 * an element of a set or map, so a packet costs the same with one port or a thousand, with one network or two hundred.
 */
export interface PublishedRule {
  /** host address; "0.0.0.0" or "::" for every one of its family */
  hostIp: string;
  protocol: "tcp" | "udp" | "sctp";
  hostPort: number;
  /** of the same family */
  containerIp: string;
  containerPort: number;
  /** so many ports, one after another on both sides */
  count?: number;
}

/** A published port of a network that is routed to: reached at the container's own address. */
interface RoutedRule {
  protocol: "tcp" | "udp" | "sctp";
  containerIp: string;
  containerPort: number;
  count?: number;
}

export interface PortRules {
  published: readonly PublishedRule[];
  routed: readonly RoutedRule[];
}

export interface BridgeRules {
  /** the interface */
  name: string;
  /** subnets, both families */
  subnets: readonly string[];
  /** those that hide behind the host's address on the way out */
  masqueraded: readonly string[];
  /** containers reach each other */
  icc: boolean;
  /** leads nowhere else */
  internal: boolean;
  /** families in which everything comes in (`nat-unprotected`) */
  open: readonly (4 | 6)[];
}

export interface RuleModel extends PortRules {
  table: string;
  /** what is let through gets this bit, by which other firewalls let it through as well (`passage.ts`) */
  mark?: string;
  bridges: readonly BridgeRules[];
}

interface Element {
  set: string;
  key: string;
  value?: string;
}

/** name → its declaration */
const sets: Record<string, string> = {
  bridges: "set bridges { type ifname;",
  within: "set within { type ifname . ifname;",
  internal: "set internal { type ifname;",
  open4: "set open4 { type ifname;",
  open6: "set open6 { type ifname;",
  local4: "set local4 { type ifname . ipv4_addr; flags interval;",
  local6: "set local6 { type ifname . ipv6_addr; flags interval;",
  masqueraded4: "set masqueraded4 { type ipv4_addr; flags interval;",
  masqueraded6: "set masqueraded6 { type ipv6_addr; flags interval;",
  routed4: "set routed4 { type ipv4_addr . inet_proto . inet_service; flags interval;",
  routed6: "set routed6 { type ipv6_addr . inet_proto . inet_service; flags interval;",
  published4: "map published4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service;",
  published4_any: "map published4_any { type inet_proto . inet_service : ipv4_addr . inet_service;",
  published6: "map published6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service;",
  published6_any: "map published6_any { type inet_proto . inet_service : ipv6_addr . inet_service;",
  // ports by the thousand, which keep their numbers
  ranges4: "map ranges4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr; flags interval;",
  ranges4_any: "map ranges4_any { type inet_proto . inet_service : ipv4_addr; flags interval;",
  ranges6: "map ranges6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr; flags interval;",
  ranges6_any: "map ranges6_any { type inet_proto . inet_service : ipv6_addr; flags interval;",
};

const familyOf = (text: string): 4 | 6 => (text.includes(":") ? 6 : 4);

function bridgeElements(bridge: BridgeRules): Element[] {
  const name = `"${bridge.name}"`;
  return [
    { set: "bridges", key: name },
    ...(bridge.icc ? [{ set: "within", key: `${name} . ${name}` }] : []),
    ...(bridge.internal ? [{ set: "internal", key: name }] : []),
    ...bridge.open.map((family) => ({ set: `open${family}`, key: name })),
    ...bridge.subnets.map((subnet) => ({ set: `local${familyOf(subnet)}`, key: `${name} . ${subnet}` })),
    ...bridge.masqueraded.map((subnet) => ({ set: `masqueraded${familyOf(subnet)}`, key: subnet })),
  ];
}

function publishedElement(rule: PublishedRule): Element {
  const { hostIp, protocol, hostPort, containerIp, containerPort, count = 1 } = rule;
  const map = `${count > 1 ? "ranges" : "published"}${isIPv6(hostIp) ? 6 : 4}`;
  const everywhere = hostIp === "0.0.0.0" || hostIp === "::";
  const port = `${protocol} . ${rangeText(hostPort, count)}`;
  return {
    set: everywhere ? `${map}_any` : map,
    key: everywhere ? port : `${hostIp} . ${port}`,
    value: count > 1 ? containerIp : `${containerIp} . ${containerPort}`,
  };
}

const routedElement = ({ protocol, containerIp, containerPort, count = 1 }: RoutedRule): Element => ({
  set: `routed${familyOf(containerIp)}`,
  key: `${containerIp} . ${protocol} . ${rangeText(containerPort, count)}`,
});

const rangeText = (first: number, count: number): string =>
  count > 1 ? `${first}-${first + count - 1}` : String(first);

/** Ports that get other numbers are elements each: in nftables no range leads to a range. */
function elementsOf({ count = 1, ...rule }: PublishedRule): Element[] {
  const { hostPort, containerPort } = rule;
  if (hostPort === containerPort) return [publishedElement({ ...rule, count })];
  return Array.from({ length: count }, (_, index) =>
    publishedElement({ ...rule, hostPort: hostPort + index, containerPort: containerPort + index }),
  );
}

const portElements = ({ published, routed }: PortRules): Element[] => [
  ...published.flatMap(elementsOf),
  ...routed.map(routedElement),
];

const pair = ({ key, value }: Element): string => (value === undefined ? key : `${key} : ${value}`);

function bySet(elements: readonly Element[]): Map<string, Element[]> {
  const grouped = new Map<string, Element[]>();
  for (const element of elements) {
    const group = grouped.get(element.set);
    if (group) group.push(element);
    else grouped.set(element.set, [element]);
  }
  return grouped;
}

function declarations(elements: readonly Element[]): string {
  const grouped = bySet(elements);
  return Object.entries(sets)
    .map(([name, opening]) => {
      const list = grouped.get(name);
      return `  ${opening}${list ? ` elements = { ${list.map(pair).join(", ")} };` : ""} }`;
    })
    .join("\n");
}

/**
 * Replaces the whole table in one transaction: no packet sees it half made.
 *
 * Priorities lie five before the usual ones (-100 dstnat, 100 srcnat, 0 filter), so that Docker's or a firewall's
 * chains come after; an `accept` here does not end theirs, a `drop` is final.
 */
export function ruleset({ table, mark, bridges, ...ports }: RuleModel): string {
  const marked = mark === undefined ? "" : `meta mark set meta mark | ${mark} `;
  const pass = `${marked}accept`;
  return `
add table inet ${table}
delete table inet ${table}
table inet ${table} {
${declarations([...bridges.flatMap(bridgeElements), ...portElements(ports)])}
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @published4
    dnat ip to meta l4proto . th dport map @published4_any
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6
    dnat ip6 to meta l4proto . th dport map @published6_any
    dnat ip to ip daddr . meta l4proto . th dport map @ranges4
    dnat ip to meta l4proto . th dport map @ranges4_any
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @ranges6
    dnat ip6 to meta l4proto . th dport map @ranges6_any
  }
  # route_localnet lets loopback's packets cross the bridge; from a container none may
  chain raw {
    type filter hook prerouting priority -305; policy accept;
    ip daddr 127.0.0.0/8 iifname @bridges drop
    ip saddr 127.0.0.0/8 iifname @bridges drop
  }
  chain prerouting {
    type nat hook prerouting priority -105; policy accept;
    ip daddr 127.0.0.0/8 return
    fib daddr type local jump publish
  }
  # IPv6's loopback cannot leave the host: its ports are served by sockets
  chain output {
    type nat hook output priority -105; policy accept;
    ip6 daddr ::1 return
    fib daddr type local jump publish
  }
  # answers must come back through the host: its loopback's, and a container's that called a port of its own network
  chain postrouting {
    type nat hook postrouting priority 95; policy accept;
    oifname @bridges jump inbound
    oifname != @bridges ip saddr @masqueraded4 masquerade
    oifname != @bridges ip6 saddr @masqueraded6 masquerade
  }
  chain inbound {
    ip saddr 127.0.0.0/8 masquerade
    ct status dnat oifname . ip saddr @local4 masquerade
    ct status dnat oifname . ip6 saddr @local6 masquerade
  }
  # into a bridge comes what was asked for or published; out of an internal network goes nothing
  chain forward {
    type filter hook forward priority -5; policy accept;
    oifname @bridges jump inward
    iifname @internal iifname . oifname != @within drop${mark === undefined ? "" : outward(marked)}
  }
  chain inward {
    ct state established,related ${pass}
    iifname . oifname @within ${pass}
    oifname @internal drop
    iifname @internal drop
    ct status dnat ${pass}
    meta nfproto ipv4 oifname @open4 ${pass}
    meta nfproto ipv6 oifname @open6 ${pass}
    ip daddr . meta l4proto . th dport @routed4 ${pass}
    ip6 daddr . meta l4proto . th dport @routed6 ${pass}
    drop
  }
}
`;
}

/** Bridges of other engines' networks and of virtual machines, by the names they are given. */
const othersBridges = ["docker*", "br-*", "podman*", "cni*", "virbr*", "lxdbr*", "lxcbr*", "incusbr*"];

/** Not into networks of others, who keep theirs apart by rules of their own. */
const outward = (marked: string): string =>
  `\n    iifname @bridges ${othersBridges.map((name) => `oifname != "${name}"`).join(" ")} ${marked}`;

const change = (verb: "add" | "delete", table: string, elements: readonly Element[]): string =>
  [...bySet(elements)]
    .map(([name, list]) => {
      const keys = list.map((element) => (verb === "add" ? pair(element) : element.key));
      return `${verb} element inet ${table} ${name} { ${keys.join(", ")} }`;
    })
    .join("\n");

/** One transaction that puts ports in place of others: none that is in both is ever away. */
export function exchangePorts(table: string, before: PortRules, after: PortRules): string {
  const [gone, fresh] = [
    change("delete", table, portElements(before)),
    change("add", table, portElements(after)),
  ];
  return [gone, fresh].filter((commands) => commands !== "").join("\n");
}

/** What of these ports is not among the others. */
export function portsBeyond(ports: PortRules, others: PortRules): PortRules {
  const text = (rule: PublishedRule | RoutedRule): string => Object.values(rule).join(" ");
  const known = new Set([...others.published, ...others.routed].map(text));
  return {
    published: ports.published.filter((rule) => !known.has(text(rule))),
    routed: ports.routed.filter((rule) => !known.has(text(rule))),
  };
}

export const addBridge = (table: string, bridge: BridgeRules): string =>
  change("add", table, bridgeElements(bridge));

export const removeBridge = (table: string, bridge: BridgeRules): string =>
  change("delete", table, bridgeElements(bridge));

/** Succeeds whether the table exists or not. */
export const removeTable = (table: string): string => `add table inet ${table}\ndelete table inet ${table}`;
