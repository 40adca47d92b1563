/**
 * Who is where: every container on the networks, by the names that each network knows it by. Kept in memory by the
 * sandboxes as containers come, go, connect, disconnect and are renamed; it is what name resolution answers from.
 */
export interface NamedEndpoint {
  readonly endpointId: string;
  readonly containerId: string;
  readonly containerName: string;
  readonly networkId: string;
  readonly networkName: string;
  /** as asked for and as `inspect` tells them: container name, aliases, short id, host name; [] where names are not resolved */
  readonly names: readonly string[];
  /** "" = none */
  readonly ipv4: string;
  readonly ipv6: string;
  /** `--link`: names that this container alone has for others of the network: alias → container name or id */
  readonly links: ReadonlyMap<string, string>;
  /** the network leads nowhere else */
  readonly internal: boolean;
}

type DirectoryChange =
  | { kind: "joined"; endpoint: NamedEndpoint }
  | { kind: "left"; endpoint: NamedEndpoint }
  | { kind: "renamed"; endpoint: NamedEndpoint };

interface NetworkIndex {
  byName: Map<string, Set<NamedEndpoint>>;
  byId: Map<string, NamedEndpoint>;
}

/** Names are compared without regard to case. */
const key = (name: string): string => name.toLowerCase();

export class Directory {
  private readonly networks = new Map<string, NetworkIndex>();
  private readonly containers = new Map<string, Map<string, NamedEndpoint>>();
  private readonly listeners = new Set<(change: DirectoryChange) => void>();

  /** The container's places, one for each network; in no order. */
  of(containerId: string): NamedEndpoint[] {
    return [...(this.containers.get(containerId)?.values() ?? [])];
  }

  /** Everyone in the network. */
  members(networkId: string): NamedEndpoint[] {
    return [...(this.networks.get(networkId)?.byId.values() ?? [])];
  }

  /** All who have that name in the network: several may share an alias. */
  named(networkId: string, name: string): NamedEndpoint[] {
    return [...(this.networks.get(networkId)?.byName.get(key(name)) ?? [])];
  }

  /** Calls `listener` after each change until the returned function is called; it must not throw or block. */
  subscribe(listener: (change: DirectoryChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  add(endpoint: NamedEndpoint): void {
    this.put(endpoint);
    this.tell({ kind: "joined", endpoint });
  }

  remove(containerId: string, networkId: string): void {
    const endpoint = this.take(containerId, networkId);
    if (endpoint) this.tell({ kind: "left", endpoint });
  }

  rename(containerId: string, containerName: string, networkId: string, names: readonly string[]): void {
    const before = this.take(containerId, networkId);
    if (!before) return;
    const endpoint = { ...before, containerName, names };
    this.put(endpoint);
    this.tell({ kind: "renamed", endpoint });
  }

  private put(endpoint: NamedEndpoint): void {
    const { networkId, containerId, names } = endpoint;
    const index = this.networks.get(networkId) ?? {
      byName: new Map(),
      byId: new Map(),
    };
    this.networks.set(networkId, index);
    index.byId.set(endpoint.endpointId, endpoint);
    for (const name of names) {
      const holders = index.byName.get(key(name)) ?? new Set();
      index.byName.set(key(name), holders.add(endpoint));
    }
    const places = this.containers.get(containerId) ?? new Map<string, NamedEndpoint>();
    this.containers.set(containerId, places.set(networkId, endpoint));
  }

  private take(containerId: string, networkId: string): NamedEndpoint | undefined {
    const places = this.containers.get(containerId);
    const endpoint = places?.get(networkId);
    const index = this.networks.get(networkId);
    if (!places || !endpoint || !index) return undefined;
    places.delete(networkId);
    if (places.size === 0) this.containers.delete(containerId);
    index.byId.delete(endpoint.endpointId);
    for (const name of endpoint.names) {
      const holders = index.byName.get(key(name));
      holders?.delete(endpoint);
      if (holders?.size === 0) index.byName.delete(key(name));
    }
    if (index.byId.size === 0) this.networks.delete(networkId);
    return endpoint;
  }

  private tell(change: DirectoryChange): void {
    for (const listener of this.listeners) listener(change);
  }
}
