import type { EndpointSettings, NetworkInspect, PortMap } from "../types/api.ts";

/**
 * Network: namespaces, bridges, addresses, published ports.
 *
 * A container's *sandbox* is its network namespace, a file at `<exec root>/netns/<12 hex>`; an *endpoint* is its place in
 * one network (address, MAC, host veth). `open` gives the namespace's path at once, so that the runtime can be creating
 * the container while `ready` still wires it; the caller awaits `ready` before it starts the process. Wiring that fails
 * is undone by `open` itself (its `ready` rejects). `close` removes all that `open` made, and is a success for what is
 * already gone. All packet rules live in one nftables table named after the engine, made with the first endpoint and
 * removed with the last. Host-port conflicts are told before anything starts:
 * `conflict`-free text is Docker's ("Bind for 0.0.0.0:80 failed: port is already allocated"), kind `internal` (500).
 */
export interface PortRequest {
  /** in the container */
  port: number;
  protocol: "tcp" | "udp" | "sctp";
  /** "" = every address of both families */
  hostIp: string;
  /** 0 = any free; a range picks the first free */
  hostPort: number;
  hostPortEnd: number;
}

export interface SandboxRequest {
  containerId: string;
  containerName: string;
  /** network name or id → what the user asked of the endpoint (aliases, fixed address, MAC) */
  networks: Record<string, Partial<EndpointSettings>>;
  ports: PortRequest[];
}

export interface RepublishRequest {
  containerId: string;
  containerName: string;
  add: PortRequest[];
  remove: Pick<PortRequest, "port" | "protocol">[];
}

export interface Sandbox {
  sandboxId: string;
  /** path for the OCI spec's network namespace */
  netnsPath: string;
  /** resolves when packets can flow: what `inspect` tells from then on */
  ready: Promise<SandboxState>;
}

export interface SandboxState {
  sandboxId: string;
  netnsPath: string;
  endpoints: Record<string, EndpointSettings>;
  /** as published, random ports chosen; exposed-only ports are not in it */
  ports: PortMap;
}

export interface Networks {
  /** Predefined: bridge, host, none. */
  list(): NetworkInspect[];
  /** By id, name or unique id prefix; `notFound` "network x not found". Its Containers map is left to the caller. */
  get(nameOrId: string): NetworkInspect;
  /** Refuses what can never work: bad addresses, impossible ports. An unknown network is told by `open`, as in Docker. */
  check(request: SandboxRequest): void;
  open(request: SandboxRequest): Promise<Sandbox>;
  /** Publishes more ports of a container that runs, then takes others back; what cannot be added changes nothing. */
  republish(request: RepublishRequest): Promise<PortMap>;
  close(containerId: string): Promise<void>;
  /** After an engine restart: takes over a living container's sandbox (rules, proxies, addresses) as recorded. */
  adopt(containerId: string, state: SandboxState): Promise<void>;
  /** Host's name servers and search domains as a container on a bridge should see them (loopback ones left out). */
  resolvConf(options: {
    dns: string[];
    dnsSearch: string[];
    dnsOptions: string[];
    hostMode: boolean;
    /** on a user-defined network, where the engine's resolver answers */
    userNetwork: boolean;
  }): Promise<string>;
  /** Address for `--add-host x:host-gateway`. */
  hostGateway(): string;
  /** At start: removes namespaces, veths, rules and records of containers not in `alive`. */
  sweep(alive: ReadonlySet<string>): Promise<void>;
  /** At stop: bridge and table go when no container is left in `alive`. */
  shutdown(alive: ReadonlySet<string>): Promise<void>;
}
