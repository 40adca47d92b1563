import type { NetworkFinding } from "../../types/network-doctor.ts";
import type { RuleModel } from "../host/rules.ts";

/** What the main thread asks of the network Worker: plain values, each a complete description of what is wanted. */
export interface AddressPlan {
  /** four or sixteen bytes, network order */
  bytes: Uint8Array;
  prefix: number;
}

export interface BridgePlan {
  name: string;
  /** the host's addresses on it */
  addresses: AddressPlan[];
  /** six bytes; the same whenever it is made anew, so that containers' neighbour tables stay right */
  mac: Uint8Array;
  mtu: number;
  /** sets net.ipv4.ip_forward, and with an IPv6 address IPv6's */
  forward: boolean;
  ipv6: boolean;
}

/** A macvlan's or ipvlan's parent on the host. */
export interface ParentPlan {
  name: string;
  /** made by the engine: a VLAN of another interface, or one that leads nowhere */
  make?: { kind: "vlan"; of: string; id: number } | { kind: "dummy" };
}

/** What an interface in a container is on the host. */
export type LinkPlan =
  | { kind: "veth"; link: string; bridge: string; isolated: boolean }
  | { kind: "macvlan"; parent: string; mode: number }
  | { kind: "ipvlan"; parent: string; mode: number; flag: number };

/** A default route: through a gateway, or straight out of the interface. */
export type RoutePlan = { family: 4 | 6; gateway: Uint8Array } | { family: 4 | 6; device: true };

export interface EndpointPlan {
  netnsPath: string;
  link: LinkPlan;
  /** in the container: eth0 */
  name: string;
  /** six bytes; absent where the kind has its parent's */
  mac?: Uint8Array;
  addresses: AddressPlan[];
  /** the user's own besides: the engine neither gives nor tells them to others */
  linkLocal: AddressPlan[];
  ipv6: boolean;
  routes: RoutePlan[];
  /** 0 = the parent's */
  mtu: number;
  /** below /proc/sys/net, written in the container's namespace */
  sysctls: [path: string, value: string][];
}

export interface TearDownPlan {
  links: string[];
  namespaces: string[];
}

/** Tracked UDP flows that the kernel shall forget. */
export interface FlowsPlan {
  /** answered from these addresses */
  to: Uint8Array[];
  /** to these ports, and not redirected */
  at: { family: 4 | 6; first: number; last: number }[];
}

/** A container leaves a network and runs on. */
export interface UnwirePlan {
  netnsPath: string;
  /** in the container */
  name: string;
  /** on the host; "" without one */
  link: string;
}

/** The default routes that a namespace should have; families without one have none. */
export interface ReroutePlan {
  netnsPath: string;
  routes: (RoutePlan & { name: string })[];
}

/** A recorded bridge port: put back where its bridge had to be made anew. */
export interface PortPlan {
  link: string;
  bridge: string;
  isolated: boolean;
}

export interface SweepPlan {
  netnsFolder: string;
  /** paths below it that stay */
  namespaces: string[];
  /** host links that stay in the bridges */
  links: string[];
  bridges: BridgePlan[];
  ports: PortPlan[];
  /** absent: nothing is needed, and bridges and table go */
  rules: RuleModel | undefined;
  table: string;
}

/** All that is recorded, to be compared with the kernel. */
export interface ExaminePlan {
  bridges: BridgePlan[];
  ports: PortPlan[];
  rules: RuleModel;
}

/** A base chain of another firewall at the forward hook. */
export interface ForeignChain {
  family: string;
  table: string;
  chain: string;
  /** lets through only what it knows */
  drops: boolean;
  /** " (ufw)"; "" where it is not known */
  whose: string;
  /** our rule is seen in it */
  open: boolean;
}

/** The Worker's methods: one argument each, and an answer when the change is made. */
export interface NetworkCalls {
  /** makes or corrects the bridges and their ports, and makes the table anew */
  prepare(args: { bridges: BridgePlan[]; ports: PortPlan[]; rules: RuleModel }): void;
  /** nft(8) text, then the bridge */
  addBridge(args: { commands: string; bridge: BridgePlan }): void;
  removeBridge(args: { commands: string; bridge: string }): void;
  makeParent(plan: ParentPlan): void;
  removeParent(args: { name: string }): void;
  /** holds a new namespace at `path`, or the one at `existing` */
  makeNamespace(args: { path: string; existing?: string }): void;
  holdHostNamespace(args: { path: string }): void;
  wire(plan: EndpointPlan): void;
  unwire(plan: UnwirePlan): void;
  reroute(plan: ReroutePlan): void;
  /** nft(8) text, one transaction */
  changeRules(args: { commands: string }): void;
  forgetFlows(plan: FlowsPlan): void;
  tearDown(plan: TearDownPlan): void;
  removeAll(args: { bridges: string[]; table: string }): void;
  sweep(plan: SweepPlan): void;
  /** routes and addresses of the host, as CIDR, but those of the named interfaces */
  hostSubnets(args: { except: string[] }): string[];
  examine(plan: ExaminePlan): NetworkFinding[];
  /** where the engine's table is not as recorded; empty = nowhere */
  differences(model: RuleModel): string[];
  /** chains of other firewalls; `table` is the engine's own */
  foreignChains(args: { table: string }): ForeignChain[];
  openPassage(args: { chain: ForeignChain; table: string }): void;
  closePassage(args: { chain: ForeignChain; table: string }): void;
  /** deletes ports of these bridges that are not among the links */
  dropStrays(args: { bridges: string[]; links: string[] }): void;
  /** the last call: the thread gives back its descriptors */
  close(args: Record<string, never>): void;
}

/** What the Worker tells unasked: the netlink port under which the kernel tells everyone of its changes of packet rules. */
export interface NetworkEvent {
  rulesPort: number;
}

export type Call = <Method extends keyof NetworkCalls>(
  method: Method,
  args: Parameters<NetworkCalls[Method]>[0],
) => Promise<ReturnType<NetworkCalls[Method]>>;
