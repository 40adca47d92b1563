import { ipBytes } from "../../lib/net/ip-bytes.ts";

/** A running container's place in a network, as others find it. */
export interface NamedEndpoint {
  endpointId: string;
  networkId: string;
  networkName: string;
  /** name, aliases, short id, host name; the first is what its addresses are called in reverse */
  names: readonly string[];
  /** "" without one */
  ipv4: string;
  ipv6: string;
}

/** An endpoint's addresses as records carry them. */
interface Entry {
  endpoint: NamedEndpoint;
  ipv4: Uint8Array | undefined;
  ipv6: Uint8Array | undefined;
}

/** One network's names and addresses; each may belong to several endpoints, in the order in which they came. */
class NetworkNames {
  readonly names = new Map<string, Entry[]>();
  readonly reverse = new Map<string, Entry[]>();
}

/** Who is called what in which network. Names count without case (RFC 4343). */
export class NameTable {
  private readonly networks = new Map<string, NetworkNames>();
  private readonly entries = new Map<string, Entry>();

  /** Enters an endpoint, in place of what it was before. */
  announce(endpoint: NamedEndpoint): void {
    this.withdraw(endpoint.endpointId);
    const entry = { endpoint, ipv4: ipBytes(endpoint.ipv4), ipv6: ipBytes(endpoint.ipv6) };
    this.entries.set(endpoint.endpointId, entry);
    const network = this.networks.get(endpoint.networkId) ?? new NetworkNames();
    this.networks.set(endpoint.networkId, network);
    for (const name of namesOf(entry)) enter(network.names, name, entry);
    for (const name of reverseNamesOf(entry)) enter(network.reverse, name, entry);
  }

  withdraw(endpointId: string): void {
    const entry = this.entries.get(endpointId);
    if (!entry) return;
    this.entries.delete(endpointId);
    const { networkId } = entry.endpoint;
    const network = this.networks.get(networkId);
    if (!network) return;
    for (const name of namesOf(entry)) leave(network.names, name, entry);
    for (const name of reverseNamesOf(entry)) leave(network.reverse, name, entry);
    if (network.names.size === 0 && network.reverse.size === 0) this.networks.delete(networkId);
  }

  /** The addresses behind a name (in lower case): none of that family is an empty list, an unknown name `undefined`. */
  addresses(networkId: string, name: string, family: "ipv4" | "ipv6"): Uint8Array[] | undefined {
    const entries = this.networks.get(networkId)?.names.get(name);
    if (!entries) return undefined;
    const found: Uint8Array[] = [];
    for (const { [family]: address } of entries) if (address) found.push(address);
    return found;
  }

  /** `container.network` for `4.3.2.1.in-addr.arpa` or its like in ip6.arpa. */
  reverse(networkId: string, name: string): string | undefined {
    const endpoint = this.networks.get(networkId)?.reverse.get(name)?.[0]?.endpoint;
    return endpoint && `${endpoint.names[0]}.${endpoint.networkName}`;
  }
}

const namesOf = ({ endpoint }: Entry): Set<string> =>
  new Set(endpoint.names.map((name) => name.toLowerCase()));

const reverseNamesOf = ({ endpoint, ipv4, ipv6 }: Entry): string[] =>
  endpoint.names.length === 0
    ? []
    : [...(ipv4 ? [reverseIpv4(ipv4)] : []), ...(ipv6 ? [reverseIpv6(ipv6)] : [])];

const reverseIpv4 = (bytes: Uint8Array): string => `${[...bytes].reverse().join(".")}.in-addr.arpa`;

const reverseIpv6 = (bytes: Uint8Array): string =>
  `${[...Buffer.from(bytes).toString("hex")].reverse().join(".")}.ip6.arpa`;

function enter(map: Map<string, Entry[]>, name: string, entry: Entry): void {
  const list = map.get(name);
  if (list) list.push(entry);
  else map.set(name, [entry]);
}

function leave(map: Map<string, Entry[]>, name: string, entry: Entry): void {
  const rest = (map.get(name) ?? []).filter((item) => item !== entry);
  if (rest.length > 0) map.set(name, rest);
  else map.delete(name);
}
