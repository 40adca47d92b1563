import { join } from "node:path";
import { EngineError, messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import { isIP } from "../lib/net/ip.ts";
import type { State } from "../state/database.ts";
import type { EventBus } from "../state/events.ts";
import { readFact, writeFact } from "../state/facts.ts";
import { reserveLowDescriptors } from "../system/nftables/low-descriptors.ts";
import { runCommand } from "../system/process/process.ts";
import type { NetworkCreateRequest, NetworkInspect } from "../types/api.ts";
import type { NetworkFinding } from "../types/network-doctor.ts";
import { Addresses } from "./addresses/addresses.ts";
import { formatIp, parseCidr } from "./addresses/ip.ts";
import { localPool, readPools } from "./addresses/pools.ts";
import type {
  ConnectRequest,
  DisconnectRequest,
  Networks,
  RepublishRequest,
  SandboxRequest,
  SandboxState,
} from "./contract.ts";
import { defineNetwork } from "./definitions/create.ts";
import { Definitions, isPredefined, type NetworkDefinition } from "./definitions/definitions.ts";
import { type BridgeNetwork, readBridge } from "./definitions/driver-options.ts";
import { parentPlan } from "./definitions/drivers.ts";
import { inspectNetwork } from "./definitions/inspect.ts";
import { type DefaultBridgeOptions, definePredefined } from "./definitions/predefined.ts";
import { dnsNamesOf } from "./endpoints/names.ts";
import { checkEndpoint, checkRequest } from "./endpoints/requests.ts";
import { EndpointStore } from "./endpoints/store.ts";
import { HostSide } from "./host/host-side.ts";
import { Passage, passageMark } from "./host/passage.ts";
import { openChanges } from "./kernel/changes.ts";
import { hasLeftovers, hostSubnets, missingOnHost, rulesGeneration } from "./kernel/probe.ts";
import { Directory } from "./names/directory.ts";
import { checkNameServers } from "./names/name-servers.ts";
import { buildResolvConf, ndotsIsSet, readHostResolvConf } from "./names/resolv-conf.ts";
import { NameResolver } from "./names/resolver.ts";
import { startNamesThread } from "./names/thread.ts";
import { forwardPort } from "./ports/forward.ts";
import { hostHasIpv6, localPortRange } from "./ports/host-ports.ts";
import { Publisher } from "./ports/publisher.ts";
import { Membership } from "./sandboxes/membership.ts";
import { NamespacePool } from "./sandboxes/namespace-pool.ts";
import { type Resolver, Sandboxes } from "./sandboxes/sandboxes.ts";
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
/** the resolver's thread outlives the last container on a user-defined network */
const namesLingerMs = 30_000;
/** the remedy that the doctor names for what `--repair` makes right with the administrator's leave */
const repair = "berth network doctor --repair";
const passageFact = "network.pass-firewalls";

export async function openNetworks(options: NetworkOptions): Promise<Networks> {
  reserveLowDescriptors();
  const definitions = new Definitions(options.state);
  settleSubnets(options, definitions);
  const report = (error: unknown): void =>
    options.logger.warn("end the idle network worker", { error: messageOf(error) });
  return new EngineNetworks(options, definitions, new LazyWorker(workerIdleMs, report));
}

function settleSubnets(options: NetworkOptions, definitions: Definitions): void {
  const own = bridgesIn(definitions).map(({ bridge }) => bridge);
  const seen = hostSubnets([options.bridge, ...own]);
  definePredefined(options.state, definitions, options, seen);
}

const bridgesIn = (definitions: Definitions): BridgeNetwork[] =>
  definitions.all().flatMap((one) => (one.driver === "bridge" ? [readBridge(one)] : []));

/** Of the engine's id, so that engines do not meddle with each other's rules. */
const tableName = (engineId: string): string => `berth-${engineId.replace(/[^0-9A-Za-z]/g, "").slice(0, 12)}`;

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

/** The service: definitions, sandboxes and their membership behind the contract. */
class EngineNetworks implements Networks {
  readonly directory = new Directory();
  private readonly options: NetworkOptions;
  private readonly definitions: Definitions;
  private readonly addresses: Addresses;
  private readonly host: HostSide;
  private readonly sandboxes: Sandboxes;
  private readonly membership: Membership;
  private readonly names: NameResolver;
  private readonly worker: LazyWorker;
  private passFact: string | undefined;
  /** networks are made and removed one at a time: each choice of a subnet knows the ones before */
  private last: Promise<unknown> = Promise.resolve();

  constructor(options: NetworkOptions, definitions: Definitions, worker: LazyWorker) {
    const { state, logger, bridge } = options;
    const { call } = worker;
    const table = tableName(options.engineId);
    const netnsFolder = join(options.execRoot, "netns");
    const endpoints = new EndpointStore(state);
    const pool = new NamespacePool(call, netnsFolder, pooledNamespaces);
    this.options = options;
    this.worker = worker;
    this.definitions = definitions;
    const passage = new Passage({
      call,
      table,
      wanted: () => this.passes(),
      run: async (argv) => (await runCommand(argv)).exitCode,
      generation: rulesGeneration,
      logger,
    });
    this.host = new HostSide({
      call,
      table,
      bridges: () => bridgesIn(definitions),
      ports: () => this.sandboxes.publishedRules(),
      mark: () => (this.passes() ? passageMark : undefined),
      passage,
      links: () => this.sandboxes.bridgePorts(),
      forward: options.ipForward,
      lingerMs,
      onIdle: () => pool.drain(),
      againMs,
      listen: (heard, ended) =>
        openChanges({
          table,
          bridges: () => bridgesIn(definitions).map((one) => one.bridge),
          own: () => worker.rulesPort,
          heard,
          ended,
        }),
      missing: missingOnHost,
      logger,
    });
    const publisher = new Publisher({
      defaultAddress: options.defaultBindAddress,
      hasIpv6: hostHasIpv6(),
      randomRange: localPortRange(),
      forward: forwardPort,
      socketsMax: options.portsObeyInput ? Number.POSITIVE_INFINITY : socketsMax,
    });
    this.addresses = new Addresses((network) => endpoints.addressesIn(network));
    this.names = new NameResolver({
      directory: this.directory,
      startThread: () => startNamesThread((fault) => logger.warn("name resolver", { fault })),
      hostIn: (id) => hostAddresses(definitions.get(id), options.hostGatewayIps),
      lingerMs: namesLingerMs,
      logger,
    });
    this.sandboxes = new Sandboxes({
      call,
      definitions,
      endpoints,
      addresses: this.addresses,
      publisher,
      pool,
      host: this.host,
      directory: this.directory,
      resolver: {
        attach: (sandbox) => this.attachNames(sandbox),
        detach: (containerId) => this.names.detach(containerId),
      },
      bySockets: options.portsObeyInput,
      netnsFolder,
      logger,
      leftovers: () => hasLeftovers({ bridge, table, netnsFolder }),
      settleSubnets: () => settleSubnets(options, definitions),
    });
    this.membership = new Membership(this.sandboxes);
  }

  list = () => this.definitions.all().map(inspectNetwork);
  get = (nameOrId: string) => this.withMembers(this.definitions.find(nameOrId));
  open = (request: SandboxRequest) => this.sandboxes.open(request);
  close = (containerId: string) => this.sandboxes.close(containerId);
  connect = (request: ConnectRequest) => this.membership.connect(request);
  disconnect = (request: DisconnectRequest) => this.membership.disconnect(request);
  rename = (containerId: string, name: string) => this.membership.rename(containerId, name);
  republish = (request: RepublishRequest) => this.sandboxes.republish(request);
  sweep = (alive: ReadonlySet<string>) => this.sandboxes.sweep(alive);
  create = (request: NetworkCreateRequest) => this.inTurn(() => this.make(request));
  remove = (nameOrId: string) => this.inTurn(() => this.unmake(nameOrId));

  async adopt(containerId: string, { endpoints }: SandboxState): Promise<void> {
    const kept = new Set(Object.values(endpoints).map(({ NetworkID }) => NetworkID));
    await this.membership.finish(containerId, kept);
    await this.sandboxes.adopt(containerId);
  }

  async doctor({ mend }: { mend: boolean }): Promise<NetworkFinding[]> {
    const before = await this.host.examine();
    // what is advice now is ours to mend once the administrator has asked for it
    const repairable = ({ state, remedy }: NetworkFinding): boolean =>
      state === "broken" || remedy === repair;
    const faults = before.filter(repairable);
    if (!mend || faults.length === 0) return before;
    if (faults.some(({ state }) => state === "advice")) this.letPass();
    await this.host.mend();
    const after = await this.host.examine();
    const still = new Set(after.filter(repairable).map(({ text }) => text));
    const mended = faults.filter(({ text }) => !still.has(text));
    return [...mended.map((one) => ({ ...one, state: "mended" as const, remedy: "" })), ...after];
  }

  private letPass(): void {
    writeFact(this.options.state, passageFact, "yes");
    this.passFact = "yes";
  }

  /** Whether other firewalls are to let containers' packets through: as configured, or once asked for by a repair. */
  private passes(): boolean {
    this.passFact ??= readFact(this.options.state, passageFact) ?? "no";
    return this.options.passFirewalls ?? this.passFact === "yes";
  }

  lookUp(nameOrId: string): NetworkInspect | undefined {
    const definition = this.definitions.known(nameOrId);
    return definition && inspectNetwork(definition);
  }

  check(request: SandboxRequest): void {
    checkRequest(request, (name) => this.definitions.known(name));
    // it is asked at create: by start the Worker is there
    this.worker.warm();
    const named = (name: string): boolean => {
      const definition = this.definitions.known(name);
      return definition !== undefined && !isPredefined(definition.name);
    };
    if (Object.keys(request.networks).some(named)) this.names.warm();
  }

  checkEndpoint(network: string, asked: ConnectRequest["asked"]): void {
    checkEndpoint(network, asked, this.definitions.known(network));
  }

  dnsNames(request: Omit<ConnectRequest, "ports">): string[] | null {
    const definition = this.definitions.known(request.network);
    return definition ? dnsNamesOf(definition, request, request.asked) : null;
  }

  async resolvConf(options: Parameters<Networks["resolvConf"]>[0]): Promise<string> {
    checkNameServers(options.dns);
    return buildResolvConf(await readHostResolvConf(options), options);
  }

  hostGateway(): string {
    const { v4 } = readBridge(this.definitions.find("bridge"));
    return v4?.gateway ? formatIp(v4.gateway) : "";
  }

  async shutdown(alive: ReadonlySet<string>): Promise<void> {
    this.host.stopWatch();
    await this.sandboxes.shutdown(alive);
    await this.names.end();
    await this.worker.end();
  }

  private async attachNames({
    containerId,
    netnsPath,
    dns: { servers, options },
  }: Parameters<Resolver["attach"]>[0]): Promise<void> {
    const ndotsSet = ndotsIsSet(await readHostResolvConf({ userNetwork: true }), options);
    await this.names.attach({ containerId, netnsPath, dns: servers, ndotsSet });
  }

  private async make(request: NetworkCreateRequest): Promise<{ id: string; warning: string }> {
    const definition = await defineNetwork(request, {
      definitions: this.definitions,
      pools: [...readPools(this.options.subnetPools), ...readPools([localPool(this.options.engineId)])],
      defaultOptions: this.options.defaultNetworkOptions,
      hostSubnets: async () => {
        const except = bridgesIn(this.definitions).map(({ bridge }) => bridge);
        const seen = await this.worker.call("hostSubnets", { except });
        return seen.map((text) => parseCidr(text).subnet);
      },
    });
    this.definitions.add(definition);
    try {
      await this.makeInterface(definition);
    } catch (error) {
      this.definitions.remove(definition.id);
      throw error;
    }
    this.tell("create", definition);
    return { id: definition.id, warning: "" };
  }

  private async makeInterface(definition: NetworkDefinition): Promise<void> {
    if (definition.driver === "bridge") await this.host.addNetwork(readBridge(definition));
    const parent = parentPlan(definition);
    if (parent) await this.worker.call("makeParent", parent);
  }

  private async unmake(nameOrId: string): Promise<void> {
    const definition = this.definitions.find(nameOrId);
    const { id, name, spec } = definition;
    if (isPredefined(name))
      throw new EngineError("forbidden", `${name} is a pre-defined network and cannot be removed`);
    const fail = (reason: string): EngineError =>
      new EngineError("forbidden", `error while removing network: ${reason}`);
    if (spec.configOnly && this.definitions.all().some((one) => one.spec.configFrom === name))
      throw fail(`configuration network ${JSON.stringify(name)} is in use`);
    const members = this.sandboxes.membersOf(id);
    if (members.length > 0) {
      const told = members.map((one) => `name:"${one.spec.containerName}" id:"${one.id.slice(0, 12)}"`);
      throw fail(`network ${name} has active endpoints (${told.join(", ")})`);
    }
    this.definitions.remove(id);
    this.addresses.forget(id);
    if (definition.driver === "bridge") await this.host.removeNetwork(readBridge(definition));
    const parent = parentPlan(definition);
    if (parent?.make && !this.parentUsed(parent.name))
      await this.worker.call("removeParent", { name: parent.name });
    this.sandboxes.restIfEmpty();
    this.tell("destroy", definition);
  }

  private parentUsed(parent: string): boolean {
    return this.definitions.all().some((one) => parentPlan(one)?.name === parent);
  }

  private withMembers(definition: NetworkDefinition): NetworkInspect {
    const members = this.sandboxes.membersOf(definition.id).map(({ id, containerId, spec }) => {
      const { settings, containerName } = spec;
      const { IPAddress, IPPrefixLen, GlobalIPv6Address, GlobalIPv6PrefixLen } = settings;
      const told = {
        Name: containerName,
        EndpointID: id,
        MacAddress: settings.MacAddress,
        IPv4Address: IPAddress === "" ? "" : `${IPAddress}/${IPPrefixLen}`,
        IPv6Address: GlobalIPv6Address === "" ? "" : `${GlobalIPv6Address}/${GlobalIPv6PrefixLen}`,
      };
      return [containerId, told] as const;
    });
    return { ...inspectNetwork(definition), Containers: Object.fromEntries(members) };
  }

  private tell(action: "create" | "destroy", { id, name, driver }: NetworkDefinition): void {
    this.options.events.publish({ type: "network", action, id, attributes: { name, type: driver } });
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work, work);
    this.last = turn.catch(messageOf);
    return turn;
  }
}
