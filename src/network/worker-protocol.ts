import type { RuleModel } from "./rules.ts";

/** What the main thread asks of the network Worker: plain values, each a complete description of what is wanted. */
export interface BridgePlan {
  name: string;
  /** numbers as in `ipv4.ts` */
  address: number;
  prefix: number;
  mtu: number;
  /** sets net.ipv4.ip_forward */
  forward: boolean;
}

export interface EndpointPlan {
  netnsPath: string;
  bridge: string;
  /** the host's side */
  link: string;
  /** the container's side: eth0 */
  name: string;
  /** six bytes */
  mac: Uint8Array;
  address: number;
  prefix: number;
  /** 0 for no default route */
  gateway: number;
  mtu: number;
  /** keeps it from its neighbours on the bridge (icc off) */
  isolated: boolean;
}

export interface TearDownPlan {
  links: string[];
  namespaces: string[];
  /** addresses whose tracked connections are forgotten */
  flowsTo: number[];
}

export interface SweepPlan {
  netnsFolder: string;
  /** paths below it that stay */
  namespaces: string[];
  /** host links that stay in the bridges */
  links: string[];
  bridges: BridgePlan[];
  /** absent: no container is left, and bridges and table go */
  rules: RuleModel | undefined;
  table: string;
}

/** The Worker's methods: one argument each, and an answer when the change is made. */
export interface NetworkCalls {
  /** makes or corrects the bridges, and makes the table anew */
  prepare(args: { bridges: BridgePlan[]; rules: RuleModel }): void;
  makeNamespace(args: { path: string }): void;
  holdHostNamespace(args: { path: string }): void;
  wire(plan: EndpointPlan): void;
  /** nft(8) text, one transaction */
  changeRules(args: { commands: string }): void;
  tearDown(plan: TearDownPlan): void;
  removeAll(args: { bridges: string[]; table: string }): void;
  sweep(plan: SweepPlan): void;
  /** the last call: the thread gives back its descriptors */
  close(args: Record<string, never>): void;
}

export type Call = <Method extends keyof NetworkCalls>(
  method: Method,
  args: Parameters<NetworkCalls[Method]>[0],
) => Promise<ReturnType<NetworkCalls[Method]>>;
