import { EngineError, messageOf } from "../lib/errors.ts";
import type { EventBus } from "../state/events.ts";
import type { NetworkCreateRequest, NetworkInspect } from "../types/api.ts";
import type { NetworkFinding } from "../types/network-doctor.ts";
import type { Addresses } from "./addresses/addresses.ts";
import { formatIp, parseCidr } from "./addresses/ip.ts";
import type { ReadPool } from "./addresses/pools.ts";
import type {
  ConnectRequest,
  DisconnectRequest,
  Networks,
  RepublishRequest,
  SandboxRequest,
  SandboxState,
} from "./contract.ts";
import { defineNetwork } from "./definitions/create.ts";
import { type Definitions, isPredefined, type NetworkDefinition } from "./definitions/definitions.ts";
import { bridgesIn, readBridge } from "./definitions/driver-options.ts";
import { parentPlan } from "./definitions/drivers.ts";
import { inspectNetwork } from "./definitions/inspect.ts";
import { dnsNamesOf } from "./endpoints/names.ts";
import { checkEndpoint, checkRequest } from "./endpoints/requests.ts";
import type { HostSide } from "./host/host-side.ts";
import type { PassageLeave } from "./host/passage-leave.ts";
import type { Directory } from "./names/directory.ts";
import { checkNameServers } from "./names/name-servers.ts";
import { buildResolvConf, readHostResolvConf } from "./names/resolv-conf.ts";
import type { NameResolver } from "./names/resolver.ts";
import type { Membership } from "./sandboxes/membership.ts";
import type { Sandboxes } from "./sandboxes/sandboxes.ts";
import type { LazyWorker } from "./worker/lazy-worker.ts";

/** the remedy that the doctor names for what `--repair` makes right with the administrator's leave */
const repair = "berth network doctor --repair";

interface Parts {
  directory: Directory;
  definitions: Definitions;
  addresses: Addresses;
  host: HostSide;
  leave: PassageLeave;
  sandboxes: Sandboxes;
  membership: Membership;
  names: NameResolver;
  worker: LazyWorker;
  events: EventBus;
  /** where subnets of new networks come from, first the ones that are tried first */
  pools: () => ReadPool[];
  /** options of new networks, by driver */
  defaultOptions: Record<string, Record<string, string>>;
}

/** The service: definitions, sandboxes and their membership behind the contract. */
export class EngineNetworks implements Networks {
  readonly directory: Directory;
  private readonly parts: Parts;
  /** networks are made and removed one at a time: each choice of a subnet knows the ones before */
  private last: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts) {
    this.directory = parts.directory;
    this.parts = parts;
  }

  list = () => this.parts.definitions.all().map(inspectNetwork);
  get = (nameOrId: string) => this.withMembers(this.parts.definitions.find(nameOrId));
  open = (request: SandboxRequest) => this.parts.sandboxes.open(request);
  close = (containerId: string) => this.parts.sandboxes.close(containerId);
  connect = (request: ConnectRequest) => this.parts.membership.connect(request);
  disconnect = (request: DisconnectRequest) => this.parts.membership.disconnect(request);
  rename = (containerId: string, name: string) => this.parts.membership.rename(containerId, name);
  republish = (request: RepublishRequest) => this.parts.sandboxes.republish(request);
  sweep = (alive: ReadonlySet<string>) => this.parts.sandboxes.sweep(alive);
  create = (request: NetworkCreateRequest) => this.inTurn(() => this.make(request));
  remove = (nameOrId: string) => this.inTurn(() => this.unmake(nameOrId));

  async adopt(containerId: string, { endpoints }: SandboxState): Promise<void> {
    const kept = new Set(Object.values(endpoints).map(({ NetworkID }) => NetworkID));
    await this.parts.membership.finish(containerId, kept);
    await this.parts.sandboxes.adopt(containerId);
  }

  async doctor({ mend }: { mend: boolean }): Promise<NetworkFinding[]> {
    const before = await this.parts.host.examine();
    // what is advice now is ours to mend once the administrator has asked for it
    const repairable = ({ state, remedy }: NetworkFinding): boolean =>
      state === "broken" || remedy === repair;
    const faults = before.filter(repairable);
    if (!mend || faults.length === 0) return before;
    if (faults.some(({ state }) => state === "advice")) this.parts.leave.grant();
    await this.parts.host.mend();
    const after = await this.parts.host.examine();
    const still = new Set(after.filter(repairable).map(({ text }) => text));
    const mended = faults.filter(({ text }) => !still.has(text));
    return [...mended.map((one) => ({ ...one, state: "mended" as const, remedy: "" })), ...after];
  }

  lookUp(nameOrId: string): NetworkInspect | undefined {
    const definition = this.parts.definitions.known(nameOrId);
    return definition && inspectNetwork(definition);
  }

  check(request: SandboxRequest): void {
    checkRequest(request, (name) => this.parts.definitions.known(name));
    // it is asked at create: by start the Worker is there
    this.parts.worker.warm();
    const named = (name: string): boolean => {
      const definition = this.parts.definitions.known(name);
      return definition !== undefined && !isPredefined(definition.name);
    };
    if (Object.keys(request.networks).some(named)) this.parts.names.warm();
  }

  checkEndpoint(network: string, asked: ConnectRequest["asked"]): void {
    checkEndpoint(network, asked, this.parts.definitions.known(network));
  }

  dnsNames(request: Omit<ConnectRequest, "ports">): string[] | null {
    const definition = this.parts.definitions.known(request.network);
    return definition ? dnsNamesOf(definition, request, request.asked) : null;
  }

  async resolvConf(options: Parameters<Networks["resolvConf"]>[0]): Promise<string> {
    checkNameServers(options.dns);
    return buildResolvConf(await readHostResolvConf(options), options);
  }

  hostGateway(): string {
    const { v4 } = readBridge(this.parts.definitions.find("bridge"));
    return v4?.gateway ? formatIp(v4.gateway) : "";
  }

  async shutdown(alive: ReadonlySet<string>): Promise<void> {
    this.parts.host.stopWatch();
    await this.parts.sandboxes.shutdown(alive);
    await this.parts.names.end();
    await this.parts.worker.end();
  }

  private async make(request: NetworkCreateRequest): Promise<{ id: string; warning: string }> {
    const definition = await defineNetwork(request, {
      definitions: this.parts.definitions,
      pools: this.parts.pools(),
      defaultOptions: this.parts.defaultOptions,
      hostSubnets: async () => {
        const except = bridgesIn(this.parts.definitions).map(({ bridge }) => bridge);
        const seen = await this.parts.worker.call("hostSubnets", { except });
        return seen.map((text) => parseCidr(text).subnet);
      },
    });
    this.parts.definitions.add(definition);
    try {
      await this.makeInterface(definition);
    } catch (error) {
      this.parts.definitions.remove(definition.id);
      throw error;
    }
    this.tell("create", definition);
    return { id: definition.id, warning: "" };
  }

  private async makeInterface(definition: NetworkDefinition): Promise<void> {
    if (definition.driver === "bridge") await this.parts.host.addNetwork(readBridge(definition));
    const parent = parentPlan(definition);
    if (parent) await this.parts.worker.call("makeParent", parent);
  }

  private async unmake(nameOrId: string): Promise<void> {
    const definition = this.parts.definitions.find(nameOrId);
    const { id, name, spec } = definition;
    if (isPredefined(name))
      throw new EngineError("forbidden", `${name} is a pre-defined network and cannot be removed`);
    const fail = (reason: string): EngineError =>
      new EngineError("forbidden", `error while removing network: ${reason}`);
    if (spec.configOnly && this.parts.definitions.all().some((one) => one.spec.configFrom === name))
      throw fail(`configuration network ${JSON.stringify(name)} is in use`);
    const members = this.parts.sandboxes.membersOf(id);
    if (members.length > 0) {
      const told = members.map((one) => `name:"${one.spec.containerName}" id:"${one.id.slice(0, 12)}"`);
      throw fail(`network ${name} has active endpoints (${told.join(", ")})`);
    }
    this.parts.definitions.remove(id);
    this.parts.addresses.forget(id);
    if (definition.driver === "bridge") await this.parts.host.removeNetwork(readBridge(definition));
    const parent = parentPlan(definition);
    if (parent?.make && !this.parentUsed(parent.name))
      await this.parts.worker.call("removeParent", { name: parent.name });
    this.parts.sandboxes.restIfEmpty();
    this.tell("destroy", definition);
  }

  private parentUsed(parent: string): boolean {
    return this.parts.definitions.all().some((one) => parentPlan(one)?.name === parent);
  }

  private withMembers(definition: NetworkDefinition): NetworkInspect {
    const members = this.parts.sandboxes.membersOf(definition.id).map(({ id, containerId, spec }) => {
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
    this.parts.events.publish({ type: "network", action, id, attributes: { name, type: driver } });
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work, work);
    this.last = turn.catch(messageOf);
    return turn;
  }
}
