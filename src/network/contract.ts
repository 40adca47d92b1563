import type { EndpointSettings, NetworkCreateRequest, NetworkInspect, PortMap } from "../types/api.ts";
import type { NetworkFinding } from "../types/network-doctor.ts";
import type { Directory } from "./names/directory.ts";

/**
 * Network: namespaces, bridges, addresses, published ports.
 *
 * A container's *sandbox* is its network namespace, a file at `<exec root>/netns/<12 hex>`; an *endpoint* is its place in
 * one network (address, MAC, interface). `open` gives the namespace's path at once, so that the runtime can be creating
 * the container while `ready` still wires it; the caller awaits `ready` before it starts the process. Wiring that fails
 * is undone by `open` itself (its `ready` rejects). `close` removes all that `open` made, and is a success for what is
 * already gone. While a sandbox stands, `connect` and `disconnect` change the networks it is in; calls for one container
 * come one at a time. All packet rules live in one nftables table named after the engine, made with the first endpoint
 * or network and removed with the last. Host-port conflicts are told before anything starts:
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
  /** so many ports, from `port` and `hostPort` on; absent = one */
  count?: number;
}

/** What a container asks beyond its networks' names, and how. */
export interface DnsChoice {
  /** its own or the engine's name servers; none = the host's */
  servers: readonly string[];
  /** resolv.conf's options where they are not the host's */
  options: readonly string[];
}

export interface SandboxRequest {
  containerId: string;
  containerName: string;
  /** one of its names on user-defined networks */
  hostname: string;
  /** network name or id → what the user asked of the endpoint (aliases, fixed address, MAC) */
  networks: Record<string, Partial<EndpointSettings>>;
  ports: PortRequest[];
  /** absent = all as the host's */
  dns?: DnsChoice;
  /** path of a network namespace to take, made for a container in a user namespace; absent = a new one */
  namespace?: string;
}

/** A sandbox that stands joins one more network. */
export interface ConnectRequest extends Omit<SandboxRequest, "networks"> {
  network: string;
  asked: Partial<EndpointSettings>;
}

export interface DisconnectRequest {
  containerId: string;
  containerName: string;
  network: string;
  /** what it publishes, by way of the networks it stays in */
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
  /** by the networks' names */
  endpoints: Record<string, EndpointSettings>;
  /** as published, random ports chosen; exposed-only ports are not in it */
  ports: PortMap;
}

export interface Networks {
  /** The predefined ones (bridge, host, none) and the users'. `Containers` is empty, as in Docker's list. */
  list(): NetworkInspect[];
  /** By id, name or unique id prefix, with the containers in it; `notFound` "network x not found". */
  get(nameOrId: string): NetworkInspect;
  /** The same, `undefined` where there is none. */
  lookUp(nameOrId: string): NetworkInspect | undefined;
  /** Makes a network, its interface on the host included. Publishes `create`. */
  create(request: NetworkCreateRequest): Promise<{ id: string; warning: string }>;
  /** `forbidden` for a predefined one and while containers are in it. Publishes `destroy`. */
  remove(nameOrId: string): Promise<void>;
  /** Refuses what can never work: bad addresses, impossible ports. An unknown network is told by `open`, as in Docker. */
  check(request: SandboxRequest): void;
  /** Docker's sentence for endpoint settings that cannot work in the network, where it is known. */
  checkEndpoint(network: string, asked: Partial<EndpointSettings>): void;
  /** The names a container has on a network; null where names are not resolved. */
  dnsNames(request: Omit<ConnectRequest, "ports">): string[] | null;
  open(request: SandboxRequest): Promise<Sandbox>;
  /** Joins a standing sandbox to a network; what fails leaves it as it was. */
  connect(request: ConnectRequest): Promise<SandboxState>;
  /** Takes a standing sandbox out of a network. */
  disconnect(request: DisconnectRequest): Promise<SandboxState>;
  /** A container has another name now: what it is called on its networks follows. Undefined without a sandbox. */
  rename(containerId: string, name: string): SandboxState | undefined;
  /** Publishes more ports of a container that runs, then takes others back; what cannot be added changes nothing. */
  republish(request: RepublishRequest): Promise<PortMap>;
  close(containerId: string): Promise<void>;
  /** After an engine restart: takes over a living container's sandbox (rules, proxies, addresses) as recorded. */
  adopt(containerId: string, state: SandboxState): Promise<void>;
  /** Compares the kernel with what is recorded; with `mend`, makes it so again. Publishes nothing. */
  doctor(options: { mend: boolean }): Promise<NetworkFinding[]>;
  /** Who is where, by name: what name resolution answers from. */
  readonly directory: Directory;
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
  /** At start: removes namespaces, veths, rules and records of containers not in `alive`; makes networks' interfaces. */
  sweep(alive: ReadonlySet<string>): Promise<void>;
  /** At stop: bridges and table go when no container is left in `alive`. */
  shutdown(alive: ReadonlySet<string>): Promise<void>;
}
