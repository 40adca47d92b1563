import { join } from "node:path";
import { EngineError, messageOf, wrap } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/log.ts";
import type { PortMap } from "../../types/api.ts";
import type { Addresses } from "../addresses/addresses.ts";
import type {
  DnsChoice,
  PortRequest,
  RepublishRequest,
  Sandbox,
  SandboxRequest,
  SandboxState,
} from "../contract.ts";
import type { Definitions } from "../definitions/definitions.ts";
import { readBridge } from "../definitions/driver-options.ts";
import { gatewaysOf, routesOf } from "../endpoints/gateways.ts";
import { namedEndpoint } from "../endpoints/names.ts";
import { type Attachment, type Owner, type PlannedEndpoint, planEndpoint } from "../endpoints/plan.ts";
import { checkRequest } from "../endpoints/requests.ts";
import type { EndpointRecord, EndpointStore } from "../endpoints/store.ts";
import type { HostSide } from "../host/host-side.ts";
import type { PortRules } from "../host/rules.ts";
import type { Directory } from "../names/directory.ts";
import type { Publisher } from "../ports/publisher.ts";
import { noRules, Ports } from "../ports/publishing.ts";
import type { Call, EndpointPlan, PortPlan } from "../worker/protocol.ts";
import { type Live, linksOf, stateOf } from "./live.ts";
import type { HeldNamespace, NamespacePool } from "./namespace-pool.ts";

/** Answers containers' questions for names, in each sandbox on a user-defined network. */
export interface Resolver {
  /** called while the sandbox is wired, and again after an engine restart */
  attach(sandbox: { containerId: string; netnsPath: string; dns: DnsChoice }): Promise<void>;
  detach(containerId: string): void;
}

interface SandboxTools {
  call: Call;
  definitions: Definitions;
  endpoints: EndpointStore;
  addresses: Addresses;
  publisher: Publisher;
  pool: NamespacePool;
  host: HostSide;
  directory: Directory;
  resolver?: Resolver;
  /** see `Ports` */
  bySockets: boolean;
  netnsFolder: string;
  /** whether an earlier run left namespaces, bridge or table */
  leftovers: () => boolean;
  /** looks again whether the host has come to use a bridge's subnet, and if so takes another */
  settleSubnets: () => void;
  logger: Logger;
}

/** Every sandbox of this engine, from `open` to `close`; the rows are its memory across restarts. */
export class Sandboxes {
  readonly tools: SandboxTools;
  readonly ports: Ports;
  private readonly lives = new Map<string, Live>();

  constructor(tools: SandboxTools) {
    this.tools = tools;
    this.ports = new Ports(tools);
    for (const record of tools.endpoints.all()) {
      const live = this.lives.get(record.containerId);
      if (live) live.records.push(record);
      else this.remember(record.containerId, record.spec, [record]);
    }
    for (const live of this.lives.values()) live.rules = this.ports.rulesOf(live);
  }

  get(containerId: string): Live | undefined {
    return this.lives.get(containerId);
  }

  /** Everyone's endpoint in a network. */
  membersOf(networkId: string): EndpointRecord[] {
    return [...this.lives.values()].flatMap(({ records }) =>
      records.filter((record) => record.networkId === networkId && record.spec.anchor !== true),
    );
  }

  async open(request: SandboxRequest): Promise<Sandbox> {
    checkRequest(request, (name) => this.tools.definitions.known(name));
    await this.close(request.containerId);
    // the bridge is about to appear: another engine's may have come since this one started
    if (this.lives.size === 0 && !this.tools.host.standing) this.tools.settleSubnets();
    const attachments = this.attachments(request);
    this.tools.host.busy();
    const namespace = await this.namespaceFor(attachments, request.namespace);
    const planned = await this.record(request, attachments, namespace);
    const live = this.remember(
      request.containerId,
      { sandboxId: namespace.sandboxId, netnsPath: namespace.path },
      planned.map(({ record }) => record),
    );
    const ready = this.wire(live, planned, request).catch(async (error: unknown) => {
      await this.dispose(live);
      throw error;
    });
    // the caller awaits `ready` later: until then its failure is not an unhandled one
    live.settled = ready.catch(messageOf);
    return { sandboxId: namespace.sandboxId, netnsPath: namespace.path, ready };
  }

  async close(containerId: string): Promise<void> {
    const live = this.lives.get(containerId);
    await live?.settled;
    if (live && this.lives.get(containerId) === live) await this.dispose(live);
  }

  /** The rules and addresses of a recorded sandbox stand since the sweep; its host ports are held again here. */
  async adopt(containerId: string): Promise<void> {
    const { logger } = this.tools;
    const live = this.lives.get(containerId);
    if (!live) return logger.warn("a running container has no network record", { container: containerId });
    this.introduce(live);
    await this.ports.rebind(live, (text) => logger.warn(text, { container: containerId }));
    // an engine with many containers does not wait for each one's resolver before it serves
    live.settled = this.attachResolver(live).catch((error: unknown) =>
      logger.warn("answer names again", { container: containerId, error: messageOf(error) }),
    );
  }

  /** Removes what is not of `alive`, from the rows and from the kernel; gives the recorded networks their bridges. */
  async sweep(alive: ReadonlySet<string>): Promise<void> {
    for (const live of [...this.lives.values()]) {
      if (alive.has(live.containerId)) continue;
      await this.tools.publisher.release(live.bound);
      this.forget(live);
    }
    // spare namespaces have no rows: what is swept by rows must not be handed out
    await this.tools.pool.drain();
    const lives = [...this.lives.values()];
    const links = lives.flatMap(linksOf);
    const { host, netnsFolder } = this.tools;
    const needed = links.length > 0 || this.tools.definitions.hasUserBridges();
    if (lives.length === 0 && !needed && !this.tools.leftovers()) return;
    const rules = host.model();
    const plan = {
      netnsFolder,
      namespaces: lives.map(({ netnsPath }) => netnsPath),
      links,
      bridges: host.bridgePlans(),
      ports: this.bridgePorts(),
      rules: needed ? rules : undefined,
      table: rules.table,
    };
    host.distrust();
    try {
      await this.tools.call("sweep", plan);
    } catch (error) {
      // without nftables an engine still serves containers that need none; the others are told at their start
      if (links.length > 0) throw error;
      this.tools.logger.warn("set up networks as recorded", { error: messageOf(error) });
      return;
    }
    if (needed) host.trust();
  }

  /** Lets go of host ports, keeps what living containers need, removes the rest. */
  async shutdown(alive: ReadonlySet<string>): Promise<void> {
    const ends = [...this.lives.values()].map(async (live) => {
      await live.settled;
      if (!alive.has(live.containerId)) await this.dispose(live);
      else await this.tools.publisher.release(live.bound.splice(0));
    });
    await Promise.all(ends);
    if (this.lives.size === 0) return this.tools.host.remove();
    this.tools.host.busy();
    await this.tools.pool.drain();
  }

  publishedRules(): PortRules {
    const rules = [...this.lives.values()].map((live) => live.rules);
    return {
      published: rules.flatMap(({ published }) => published),
      routed: rules.flatMap(({ routed }) => routed),
    };
  }

  /** The host's ends of all containers' links, with the bridges they belong in. */
  bridgePorts(): PortPlan[] {
    return [...this.lives.values()].flatMap(({ records }) =>
      records.flatMap(({ networkId, spec }) => {
        const definition = this.tools.definitions.get(networkId);
        if (spec.link === "" || definition?.driver !== "bridge") return [];
        const { bridge, icc } = readBridge(definition);
        return [{ link: spec.link, bridge, isolated: !icc }];
      }),
    );
  }

  republish(request: RepublishRequest): Promise<PortMap> {
    return this.ports.republish(this.lives.get(request.containerId), request);
  }

  /** A container's interface on a network, in a sandbox that has these already. */
  plan(
    owner: Owner,
    attachment: Attachment,
    namespace: HeldNamespace,
    records: readonly EndpointRecord[],
  ): PlannedEndpoint {
    const taken = new Set(records.map(({ spec }) => spec.interface));
    return planEndpoint(owner, attachment, namespace, { addresses: this.tools.addresses, taken });
  }

  async wireLinks(plans: readonly EndpointPlan[]): Promise<void> {
    const { host, call } = this.tools;
    for (const plan of plans) {
      if (plan.link.kind === "veth") await host.ensure();
      try {
        await call("wire", plan);
      } catch (error) {
        // ENODEV: someone deleted the bridge
        if ((error as { code?: unknown }).code !== "ENODEV" || plan.link.kind !== "veth") throw error;
        host.distrust();
        await host.ensure();
        await call("wire", plan);
      }
    }
  }

  /** From here on others find it by name. */
  introduce({ records }: Pick<Live, "records">): void {
    for (const record of records) {
      const definition = this.tools.definitions.get(record.networkId);
      if (definition && record.spec.anchor !== true)
        this.tools.directory.add(namedEndpoint(record, definition));
    }
  }

  async attachResolver({ containerId, netnsPath, records }: Live): Promise<void> {
    const wants = records.some(({ spec }) => spec.settings.DNSNames !== null);
    const dns = records.findLast(({ spec }) => spec.dns)?.spec.dns ?? { servers: [], options: [] };
    if (wants) await this.tools.resolver?.attach({ containerId, netnsPath, dns });
  }

  releaseAddresses({ networkId, ipv4, ipv6 }: EndpointRecord): void {
    for (const address of [ipv4, ipv6])
      if (address !== null) this.tools.addresses.release(networkId, address);
  }

  private attachments({ networks }: SandboxRequest): Attachment[] {
    const attachments = Object.entries(networks).map(([name, asked]) => ({
      definition: this.tools.definitions.find(name === "default" ? "bridge" : name),
      asked,
    }));
    const plain = attachments.find(({ definition: { driver } }) => driver === "host" || driver === "null");
    if (plain?.definition.spec.configOnly)
      throw new EngineError("forbidden", "cannot create endpoint on configuration-only network");
    if (plain && attachments.length > 1)
      throw new EngineError(
        "invalid",
        `container cannot be connected to multiple networks with one of the networks in ${plain.definition.name} mode`,
      );
    return attachments;
  }

  private async namespaceFor(
    attachments: readonly Attachment[],
    existing: string | undefined,
  ): Promise<HeldNamespace> {
    const { pool } = this.tools;
    if (!attachments.some(({ definition }) => definition.driver === "host"))
      return existing === undefined ? pool.take() : pool.adopt(existing);
    const path = join(this.tools.netnsFolder, "default");
    if (!this.isUsed(path)) await this.tools.call("holdHostNamespace", { path });
    return { sandboxId: newId(), path };
  }

  private isUsed(netnsPath: string): boolean {
    return [...this.lives.values()].some((live) => live.netnsPath === netnsPath);
  }

  /** Takes addresses and writes the rows: from here on a crash leaves something that the next start finds. */
  private async record(
    request: SandboxRequest,
    attachments: readonly Attachment[],
    namespace: HeldNamespace,
  ): Promise<PlannedEndpoint[]> {
    const planned: PlannedEndpoint[] = [];
    const records = (): EndpointRecord[] => planned.map(({ record }) => record);
    try {
      for (const attachment of attachments)
        planned.push(this.plan(request, attachment, namespace, records()));
      const gateways = gatewaysOf(records());
      for (const { record, plan } of planned) plan?.routes.push(...routesOf(record, gateways));
      this.ports.precheck(request.containerName, records(), request.ports);
      this.tools.endpoints.add(records());
      return planned;
    } catch (error) {
      for (const { record } of planned) this.releaseAddresses(record);
      await this.removeNamespace(namespace.path);
      this.restIfEmpty();
      throw error;
    }
  }

  private async wire(
    live: Live,
    planned: readonly PlannedEndpoint[],
    { containerName, ports }: { containerName: string; ports: readonly PortRequest[] },
  ): Promise<SandboxState> {
    const plans = planned.flatMap(({ plan }) => plan ?? []);
    const wiring = this.wireLinks(plans).finally(() => this.refill());
    const [wired, bound, attached] = await Promise.allSettled([
      wiring,
      this.ports.publish(live, containerName, ports),
      this.attachResolver(live),
    ]);
    if (wired.status === "rejected") throw wrap("set up the container's interface", wired.reason);
    if (bound.status === "rejected") throw bound.reason;
    if (attached.status === "rejected") throw wrap("set up name resolution", attached.reason);
    this.introduce(live);
    return stateOf(live);
  }

  /** Takes everything of a sandbox away; its address and ports are free only when all of it is gone. */
  private dispose(live: Live): Promise<void> {
    live.removal ??= this.remove(live).catch((error: unknown) => {
      delete live.removal; // the next close tries again
      throw error;
    });
    return live.removal;
  }

  private async remove(live: Live): Promise<void> {
    const { call, resolver, directory } = this.tools;
    for (const { networkId } of live.records) directory.remove(live.containerId, networkId);
    resolver?.detach(live.containerId);
    await this.ports.unpublish(live);
    await call("tearDown", { links: linksOf(live), namespaces: this.ownNamespaces(live) });
    this.forget(live);
    this.restIfEmpty();
  }

  /** Its namespace, unless others are in it too (the host's). */
  private ownNamespaces(live: Live): string[] {
    const shared = [...this.lives.values()].some(
      (other) => other !== live && other.netnsPath === live.netnsPath,
    );
    return shared ? [] : [live.netnsPath];
  }

  private forget(live: Live): void {
    this.lives.delete(live.containerId);
    this.tools.endpoints.removeContainer(live.containerId);
    for (const record of live.records) this.releaseAddresses(record);
  }

  private async removeNamespace(path: string): Promise<void> {
    if (!this.isUsed(path)) await this.tools.call("tearDown", { links: [], namespaces: [path] });
  }

  /** Nothing needs bridges and table: no container, and no network of the user's. */
  restIfEmpty(): void {
    if (this.lives.size === 0 && !this.tools.definitions.hasUserBridges()) this.tools.host.idle();
  }

  private remember(
    containerId: string,
    { sandboxId, netnsPath }: Pick<Live, "sandboxId" | "netnsPath">,
    records: EndpointRecord[],
  ): Live {
    const live: Live = {
      containerId,
      sandboxId,
      netnsPath,
      records,
      bound: [],
      rules: noRules,
      settled: Promise.resolve(),
    };
    this.lives.set(containerId, live);
    return live;
  }

  private refill(): void {
    this.tools.pool
      .refill()
      .catch((error: unknown) =>
        this.tools.logger.warn("make namespaces ahead of use", { error: messageOf(error) }),
      );
  }
}
