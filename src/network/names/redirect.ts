/** Where containers look for the resolver; `resolv-conf.ts` tells them. */
export const resolverAddress = "127.0.0.11";
export const dnsPort = 53;

const table = "berth-names";

export interface ResolverPorts {
  udp: number;
  tcp: number;
}

/**
 * nft(8) text for a container's namespace: what goes to port 53 of the resolver's address reaches our sockets, which
 * have ports of their own, so that a name server in the container may have 53. Ports are rewritten packet by packet, in
 * both directions, without connection tracking: the question before it could see it, the answer after.
 */
export const redirectRules = ({ udp, tcp }: ResolverPorts): string => `
add table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain ask {
    type filter hook output priority -305; policy accept;
    ip daddr ${resolverAddress} udp dport ${dnsPort} udp dport set ${udp}
    ip daddr ${resolverAddress} tcp dport ${dnsPort} tcp dport set ${tcp}
  }
  chain answer {
    type filter hook output priority 305; policy accept;
    ip saddr ${resolverAddress} udp sport ${udp} udp sport set ${dnsPort}
    ip saddr ${resolverAddress} tcp sport ${tcp} tcp sport set ${dnsPort}
  }
}
`;
