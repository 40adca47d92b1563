/**
 * The engine's packet rules as nft(8) text. One table holds all; its chains are fixed, and everything that varies is
 * an element of a set or map, so a packet costs the same with one port or a thousand.
 */
export interface PublishedRule {
  /** host address; "0.0.0.0" for every one */
  hostIp: string;
  protocol: "tcp" | "udp" | "sctp";
  hostPort: number;
  containerIp: string;
  containerPort: number;
}

export interface RuleModel {
  table: string;
  /** bridges of this engine; `masquerade` names the subnet to hide behind the host's address on the way out */
  bridges: readonly { name: string; masquerade?: string }[];
  ports: readonly PublishedRule[];
}

const set = (
  kind: "set" | "map",
  name: string,
  type: string,
  elements: readonly string[],
  flags = "",
): string => {
  const list = elements.length > 0 ? ` elements = { ${elements.join(", ")} };` : "";
  return `${kind} ${name} { type ${type};${flags}${list} }`;
};

const quoted = (name: string): string => `"${name}"`;

const element = (
  rule: PublishedRule,
): { map: "published" | "published_any"; key: string; target: string } => {
  const everywhere = rule.hostIp === "0.0.0.0";
  const key = `${rule.protocol} . ${rule.hostPort}`;
  return {
    map: everywhere ? "published_any" : "published",
    key: everywhere ? key : `${rule.hostIp} . ${key}`,
    target: `${rule.containerIp} . ${rule.containerPort}`,
  };
};

const elementsOf = (ports: readonly PublishedRule[], map: "published" | "published_any"): string[] =>
  ports
    .map(element)
    .filter((item) => item.map === map)
    .map(({ key, target }) => `${key} : ${target}`);

/**
 * Replaces the whole table in one transaction: no packet sees it half made.
 *
 * Priorities lie five before the usual ones (-100 dstnat, 100 srcnat, 0 filter), so that Docker's or a firewall's
 * chains come after; an `accept` here does not end theirs, a `drop` is final.
 */
export function ruleset({ table, bridges, ports }: RuleModel): string {
  const names = bridges.map(({ name }) => quoted(name));
  const hidden = bridges.flatMap(({ masquerade }) => (masquerade === undefined ? [] : [masquerade]));
  return `
add table inet ${table}
delete table inet ${table}
table inet ${table} {
  ${set("set", "bridges", "ifname", names)}
  ${set(
    "set",
    "within",
    "ifname . ifname",
    names.map((name) => `${name} . ${name}`),
  )}
  ${set("set", "masqueraded", "ipv4_addr", hidden, " flags interval;")}
  ${set("map", "published", "ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service", elementsOf(ports, "published"))}
  ${set("map", "published_any", "inet_proto . inet_service : ipv4_addr . inet_service", elementsOf(ports, "published_any"))}
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @published
    dnat ip to meta l4proto . th dport map @published_any
  }
  # route_localnet lets loopback's packets cross the bridge; from a container none may
  chain raw {
    type filter hook prerouting priority -305; policy accept;
    iifname @bridges ip daddr 127.0.0.0/8 drop
    iifname @bridges ip saddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority -105; policy accept;
    ip daddr 127.0.0.0/8 return
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -105; policy accept;
    fib daddr type local jump publish
  }
  # answers must come back through the host: its loopback's, and a container's that called a published port
  chain postrouting {
    type nat hook postrouting priority 95; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    oifname @bridges ip saddr @masqueraded ct status dnat masquerade
    oifname != @bridges ip saddr @masqueraded masquerade
  }
  # into a bridge comes what was asked for or published
  chain forward {
    type filter hook forward priority -5; policy accept;
    oifname @bridges jump inward
  }
  chain inward {
    ct state established,related accept
    iifname . oifname @within accept
    ct status dnat accept
    drop
  }
}
`;
}

export const addPorts = (table: string, ports: readonly PublishedRule[]): string =>
  eachMap((map) => {
    const list = elementsOf(ports, map);
    return list.length > 0 ? `add element inet ${table} ${map} { ${list.join(", ")} }` : "";
  });

export const removePorts = (table: string, ports: readonly PublishedRule[]): string =>
  eachMap((map) => {
    const keys = ports.map(element).flatMap((item) => (item.map === map ? [item.key] : []));
    return keys.length > 0 ? `delete element inet ${table} ${map} { ${keys.join(", ")} }` : "";
  });

const eachMap = (text: (map: "published" | "published_any") => string): string =>
  [text("published"), text("published_any")].filter((line) => line !== "").join("\n");

/** Succeeds whether the table exists or not. */
export const removeTable = (table: string): string => `add table inet ${table}\ndelete table inet ${table}`;
