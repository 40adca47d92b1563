import { join } from "node:path";
import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import { isIP } from "../lib/net/ip.ts";
import type { State } from "../state/database.ts";
import type { EventBus } from "../state/events.ts";
import { reserveLowDescriptors } from "../system/nftables/low-descriptors.ts";
import { runCommand } from "../system/process/process.ts";
import { Addresses } from "./addresses/addresses.ts";
import { formatIp } from "./addresses/ip.ts";
import { localPool, readPools } from "./addresses/pools.ts";
import type { Networks } from "./contract.ts";
import { Definitions, type NetworkDefinition } from "./definitions/definitions.ts";
import { bridgesIn, readBridge } from "./definitions/driver-options.ts";
import { type DefaultBridgeOptions, definePredefined } from "./definitions/predefined.ts";
import { EndpointStore } from "./endpoints/store.ts";
import { HostSide } from "./host/host-side.ts";
import { Passage, passageMark } from "./host/passage.ts";
import { PassageLeave } from "./host/passage-leave.ts";
import { openChanges } from "./kernel/changes.ts";
import { hasLeftovers, hostSubnets, missingOnHost, rulesGeneration } from "./kernel/probe.ts";
import { Directory } from "./names/directory.ts";
import { ndotsIsSet, readHostResolvConf } from "./names/resolv-conf.ts";
import { NameResolver } from "./names/resolver.ts";
import { startNamesThread } from "./names/thread.ts";
import { forwardPort } from "./ports/forward.ts";
import { hostHasIpv6, localPortRange } from "./ports/host-ports.ts";
import { Publisher } from "./ports/publisher.ts";
import { Membership } from "./sandboxes/membership.ts";
import { NamespacePool } from "./sandboxes/namespace-pool.ts";
import { type Resolver, Sandboxes } from "./sandboxes/sandboxes.ts";
import { EngineNetworks } from "./service.ts";
import { LazyWorker } from "./worker/lazy-worker.ts";

export interface NetworkOptions extends DefaultBridgeOptions {
  state: State;
  events: EventBus;
  execRoot: string;
  /** sets net.ipv4.ip_forward, without which containers reach only this host */
  ipForward: boolean;
  /** published ports go by sockets, so that the host's INPUT rules see them */
  portsObeyInput: boolean;
  /** other firewalls' forward chains get a rule that lets containers' packets through; undefined = once repaired so */
  passFirewalls: boolean | undefined;
  /** options of new networks, by driver (`default-network-opts`) */
  defaultNetworkOptions: Record<string, Record<string, string>>;
  /** what `host-gateway` and host.docker.internal stand for; none = a bridge's own address */
  hostGatewayIps: readonly string[];
  logger: Logger;
}

const pooledNamespaces = 2;
/** how long bridge, table and spare namespaces outlive the last container */
const lingerMs = 1000;
const workerIdleMs = 30_000;
/** how soon what another program took is there again where the kernel does not tell of it */
const againMs = 5000;
/** of one range of published ports; Docker holds each, at two processes of 5 MB */
const socketsMax = 1000;
/** of all of a container's, in both families; a process has seldom more than 20,000 descriptors */
const containerMax = 8000;
/** the resolver's thread outlives the last container on a user-defined network */
const namesLingerMs = 30_000;

/** What the parts of the service are made from. */
interface Base {
  options: NetworkOptions;
  definitions: Definitions;
  worker: LazyWorker;
  /** the engine's own, in nftables */
  table: string;
  netnsFolder: string;
  directory: Directory;
  leave: PassageLeave;
}

export async function openNetworks(options: NetworkOptions): Promise<Networks> {
  reserveLowDescriptors();
  const { state, events, logger } = options;
  const definitions = new Definitions(state);
  settleSubnets(options, definitions);
  const report = (error: unknown): void =>
    logger.warn("end the idle network worker", { error: messageOf(error) });
  const worker = new LazyWorker(workerIdleMs, report);
  const netnsFolder = join(options.execRoot, "netns");
  const table = tableName(options.engineId);
  const directory = new Directory();
  const leave = new PassageLeave(state, options.passFirewalls);
  const base: Base = { options, definitions, worker, table, netnsFolder, directory, leave };

  const endpoints = new EndpointStore(state);
  const addresses = new Addresses((network) => endpoints.addressesIn(network));
  const pool = new NamespacePool(worker.call, netnsFolder, pooledNamespaces);
  const host = hostSideOf(base, () => sandboxes, pool);
  const names = resolverOf(base);
  const sandboxes: Sandboxes = new Sandboxes({
    ...{ call: worker.call, definitions, endpoints, addresses, pool, host, directory, netnsFolder, logger },
    publisher: publisherOf(options),
    resolver: {
      attach: (sandbox) => attachNames(names, sandbox),
      detach: (containerId) => names.detach(containerId),
    },
    bySockets: options.portsObeyInput,
    leftovers: () => hasLeftovers({ bridge: options.bridge, table, netnsFolder }),
    settleSubnets: () => settleSubnets(options, definitions),
  });
  return new EngineNetworks({
    ...{ directory, definitions, addresses, host, leave, sandboxes, names, worker, events },
    membership: new Membership(sandboxes),
    pools: () => [...readPools(options.subnetPools), ...readPools([localPool(options.engineId)])],
    defaultOptions: options.defaultNetworkOptions,
  });
}

function settleSubnets(options: NetworkOptions, definitions: Definitions): void {
  const own = bridgesIn(definitions).map(({ bridge }) => bridge);
  const seen = hostSubnets([options.bridge, ...own]);
  definePredefined(options.state, definitions, options, seen);
}

/** Of the engine's id, so that engines do not meddle with each other's rules. */
const tableName = (engineId: string): string => `berth-${engineId.replace(/[^0-9A-Za-z]/g, "").slice(0, 12)}`;

/** The host's side serves the sandboxes and asks them what they need: they are made after it. */
function hostSideOf(base: Base, sandboxes: () => Sandboxes, pool: NamespacePool): HostSide {
  const { options, definitions, worker, table, leave } = base;
  const { call } = worker;
  const { logger } = options;
  const passage = new Passage({
    ...{ call, table, logger },
    wanted: () => leave.granted,
    run: async (argv) => (await runCommand(argv)).exitCode,
    generation: rulesGeneration,
  });
  return new HostSide({
    ...{ call, table, passage, lingerMs, againMs, logger },
    bridges: () => bridgesIn(definitions),
    ports: () => sandboxes().publishedRules(),
    mark: () => (leave.granted ? passageMark : undefined),
    links: () => sandboxes().bridgePorts(),
    forward: options.ipForward,
    onIdle: () => pool.drain(),
    listen: (heard, ended) =>
      openChanges({
        ...{ table, heard, ended },
        bridges: () => bridgesIn(definitions).map((one) => one.bridge),
        own: () => worker.rulesPort,
      }),
    missing: missingOnHost,
  });
}

const publisherOf = ({ defaultBindAddress, portsObeyInput }: NetworkOptions): Publisher =>
  new Publisher({
    defaultAddress: defaultBindAddress,
    hasIpv6: hostHasIpv6(),
    randomRange: localPortRange(),
    forward: forwardPort,
    socketsMax: portsObeyInput ? Number.POSITIVE_INFINITY : socketsMax,
    containerMax: portsObeyInput ? Number.POSITIVE_INFINITY : containerMax,
  });

const resolverOf = ({ options, definitions, directory }: Base): NameResolver =>
  new NameResolver({
    directory,
    startThread: () => startNamesThread((fault) => options.logger.warn("name resolver", { fault })),
    hostIn: (id) => hostAddresses(definitions.get(id), options.hostGatewayIps),
    lingerMs: namesLingerMs,
    logger: options.logger,
  });

async function attachNames(
  names: NameResolver,
  { containerId, netnsPath, dns: { servers, options } }: Parameters<Resolver["attach"]>[0],
): Promise<void> {
  const ndotsSet = ndotsIsSet(await readHostResolvConf({ userNetwork: true }), options);
  await names.attach({ containerId, netnsPath, dns: servers, ndotsSet });
}

/** The host as a bridge's containers reach it: the addresses configured, or the bridge's own. */
function hostAddresses(
  definition: NetworkDefinition | undefined,
  configured: readonly string[],
): { ipv4: string; ipv6: string } {
  if (configured.length > 0) {
    const ofFamily = (family: 4 | 6): string => configured.find((address) => isIP(address) === family) ?? "";
    return { ipv4: ofFamily(4), ipv6: ofFamily(6) };
  }
  if (definition?.driver !== "bridge") return { ipv4: "", ipv6: "" };
  const { v4, v6 } = readBridge(definition);
  return { ipv4: v4?.gateway ? formatIp(v4.gateway) : "", ipv6: v6?.gateway ? formatIp(v6.gateway) : "" };
}
