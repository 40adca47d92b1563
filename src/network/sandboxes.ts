import { join } from "node:path";
import { EngineError, messageOf, wrap } from "../lib/errors.ts";
import { newId } from "../lib/ids.ts";
import type { Logger } from "../lib/log.ts";
import type { PortMap } from "../types/api.ts";
import type { Addresses } from "./addresses.ts";
import type { RepublishRequest, Sandbox, SandboxRequest, SandboxState } from "./contract.ts";
import type { Definitions } from "./definitions.ts";
import { type Attachment, type PlannedEndpoint, planBridged, planPlain } from "./endpoint-plan.ts";
import type { EndpointRecord, EndpointStore } from "./endpoint-store.ts";
import type { HostSide } from "./host-side.ts";
import { parseIpv4 } from "./ipv4.ts";
import type { HeldNamespace, NamespacePool } from "./namespace-pool.ts";
import { checkPort, portMap, portRules } from "./ports/published.ts";
import type { BoundPort, Publisher } from "./ports/publisher.ts";
import { checkRequest } from "./requests.ts";
import type { PublishedRule } from "./rules.ts";
import type { Call, EndpointPlan } from "./worker-protocol.ts";

export interface SandboxTools {
  call: Call;
  definitions: Definitions;
  endpoints: EndpointStore;
  addresses: Addresses;
  publisher: Publisher;
  pool: NamespacePool;
  host: HostSide;
  netnsFolder: string;
  /** whether an earlier run left namespaces, bridge or table */
  leftovers: () => boolean;
  /** looks again whether the host has come to use a bridge's subnet, and if so takes another */
  settleSubnets: () => void;
  logger: Logger;
}

/** A sandbox that exists: its rows, and what the engine's process holds for it. */
interface Live {
  containerId: string;
  records: EndpointRecord[];
  bound: BoundPort[];
  /** settles when the wiring has ended, well or not */
  settled: Promise<unknown>;
  /** the removal that is under way */
  removal?: Promise<void>;
}

/** Every sandbox of this engine, from `open` to `close`; the rows are its memory across restarts. */
export class Sandboxes {
  private readonly tools: SandboxTools;
  private readonly lives = new Map<string, Live>();

  constructor(tools: SandboxTools) {
    this.tools = tools;
    for (const record of tools.endpoints.all()) {
      const live = this.lives.get(record.containerId);
      if (live) live.records.push(record);
      else this.remember({ containerId: record.containerId, records: [record] });
    }
  }

  async open(request: SandboxRequest): Promise<Sandbox> {
    checkRequest(request);
    await this.close(request.containerId);
    // the bridge is about to appear: another engine's may have come since this one started
    if (this.lives.size === 0 && !this.tools.host.standing) this.tools.settleSubnets();
    const attachments = this.attachments(request);
    this.tools.host.busy();
    const namespace = await this.namespaceFor(attachments);
    const planned = await this.record(request, attachments, namespace);
    const live = this.remember({
      containerId: request.containerId,
      records: planned.map(({ record }) => record),
    });
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
    const { publisher, logger } = this.tools;
    const live = this.lives.get(containerId);
    if (!live) return logger.warn("a running container has no network record", { container: containerId });
    const report = (text: string): void => logger.warn(text, { container: containerId });
    for (const { ipv4, spec } of live.records)
      if (ipv4 !== null) live.bound.push(...(await publisher.rebind(spec.ports, ipv4, report)));
  }

  /** Removes what is not of `alive`, from the rows and from the kernel. */
  async sweep(alive: ReadonlySet<string>): Promise<void> {
    for (const live of [...this.lives.values()]) {
      if (alive.has(live.containerId)) continue;
      await this.tools.publisher.release(live.bound);
      this.forget(live);
    }
    // spare namespaces have no rows: what is swept by rows must not be handed out
    await this.tools.pool.drain();
    const records = [...this.lives.values()].flatMap((live) => live.records);
    const links = records.flatMap(({ spec }) => (spec.link === "" ? [] : [spec.link]));
    const { host, netnsFolder } = this.tools;
    if (records.length === 0 && !this.tools.leftovers()) return;
    const rules = host.model();
    const plan = {
      netnsFolder,
      namespaces: records.map(({ spec }) => spec.netnsPath),
      links,
      bridges: host.bridgePlans(),
      rules: links.length > 0 ? rules : undefined,
      table: rules.table,
    };
    host.distrust();
    try {
      await this.tools.call("sweep", plan);
    } catch (error) {
      // without nftables an engine still serves containers that need none; the others are told at their start
      if (links.length > 0) throw error;
      this.tools.logger.warn("clear bridge and packet rules of the last run", { error: messageOf(error) });
    }
    if (links.length > 0) host.trust();
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

  publishedRules(): PublishedRule[] {
    const records = [...this.lives.values()].flatMap((live) => live.records);
    return records.flatMap(({ ipv4, spec }) => (ipv4 === null ? [] : portRules(spec.ports, ipv4)));
  }

  private attachments({ networks }: SandboxRequest): Attachment[] {
    const attachments = Object.entries(networks).map(([name, asked]) => ({
      definition: this.tools.definitions.find(name === "default" ? "bridge" : name),
      asked,
    }));
    const plain = attachments.find(({ definition }) => definition.driver !== "bridge");
    if (plain && attachments.length > 1)
      throw new EngineError(
        "invalid",
        `container cannot be connected to multiple networks with one of the networks in ${plain.definition.name} mode`,
      );
    return attachments;
  }

  private async namespaceFor(attachments: readonly Attachment[]): Promise<HeldNamespace> {
    if (!attachments.some(({ definition }) => definition.driver === "host")) return this.tools.pool.take();
    const path = join(this.tools.netnsFolder, "default");
    if (!this.isUsed(path)) await this.tools.call("holdHostNamespace", { path });
    return { sandboxId: newId(), path };
  }

  private isUsed(netnsPath: string): boolean {
    return [...this.lives.values()].some((live) =>
      live.records.some(({ spec }) => spec.netnsPath === netnsPath),
    );
  }

  /** Takes addresses and writes the rows: from here on a crash leaves something that the next start finds. */
  private async record(
    request: SandboxRequest,
    attachments: readonly Attachment[],
    namespace: HeldNamespace,
  ): Promise<PlannedEndpoint[]> {
    const planned: PlannedEndpoint[] = [];
    try {
      for (const attachment of attachments)
        planned.push(this.plan(request, attachment, namespace, planned.length));
      const records = planned.map(({ record }) => record);
      const published = records.find(({ ipv4 }) => ipv4 !== null);
      if (published) await external(request, published, () => this.tools.publisher.precheck(request.ports));
      this.tools.endpoints.add(records);
      return planned;
    } catch (error) {
      for (const { record } of planned) this.releaseAddress(record);
      await this.removeNamespace(namespace.path);
      this.restIfEmpty();
      throw error;
    }
  }

  private plan(
    request: SandboxRequest,
    attachment: Attachment,
    namespace: HeldNamespace,
    index: number,
  ): PlannedEndpoint {
    const { definition, asked } = attachment;
    if (definition.driver !== "bridge") return planPlain(request.containerId, attachment, namespace);
    const address = this.tools.addresses.take(definition, asked.IPAMConfig?.IPv4Address);
    return planBridged(request.containerId, attachment, namespace, { address, index });
  }

  private async wire(
    live: Live,
    planned: readonly PlannedEndpoint[],
    request: SandboxRequest,
  ): Promise<SandboxState> {
    const plans = planned.flatMap(({ plan }) => plan ?? []);
    const wiring = this.wireLinks(plans).finally(() => this.refill());
    const [wired, bound] = await Promise.allSettled([wiring, this.bindPorts(live, request)]);
    if (wired.status === "rejected") throw wrap("set up the container's interface", wired.reason);
    if (bound.status === "rejected") throw bound.reason;
    return stateOf(live.records);
  }

  private async wireLinks(plans: readonly EndpointPlan[]): Promise<void> {
    const { host, call } = this.tools;
    for (const plan of plans) {
      await host.ensure();
      try {
        await call("wire", plan);
      } catch (error) {
        // ENODEV: someone deleted the bridge
        if ((error as { code?: unknown }).code !== "ENODEV") throw error;
        host.distrust();
        await host.ensure();
        await call("wire", plan);
      }
    }
  }

  private async bindPorts(live: Live, request: SandboxRequest): Promise<void> {
    const { publisher, endpoints, host } = this.tools;
    const record = live.records.find(({ ipv4 }) => ipv4 !== null);
    if (!record?.ipv4 || request.ports.length === 0) return;
    const { ipv4 } = record;
    live.bound = await external(request, record, () => publisher.bind(request.ports, ipv4));
    record.spec.ports = live.bound.map(({ published }) => published);
    endpoints.update(record);
    await host.ensure();
    await host.publish(portRules(record.spec.ports, ipv4));
  }

  /** Ports of a sandbox that stands; see the contract. */
  async republish({ containerId, containerName, add, remove }: RepublishRequest): Promise<PortMap> {
    const { publisher, endpoints, host } = this.tools;
    for (const request of add) checkPort(request);
    const live = this.lives.get(containerId);
    const record = live?.records.find(({ ipv4 }) => ipv4 !== null);
    if (!live || !record?.ipv4)
      throw new EngineError("conflict", `container ${containerName} has no address to publish ports of`);
    const { ipv4 } = record;
    const fresh = await external({ containerName }, record, () => publisher.bind(add, ipv4));
    const goes = ({ published }: BoundPort): boolean =>
      remove.some(({ port, protocol }) => port === published.port && protocol === published.protocol);
    const leaving = live.bound.filter(goes);
    live.bound = [...live.bound.filter((one) => !goes(one)), ...fresh];
    record.spec.ports = live.bound.map(({ published }) => published);
    endpoints.update(record);
    await host.ensure();
    await host.unpublish(portRules(publishedOf(leaving), ipv4));
    await publisher.release(leaving);
    await host.publish(portRules(publishedOf(fresh), ipv4));
    return portMap(record.spec.ports);
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
    const { host, call, publisher } = this.tools;
    const rules = live.records.flatMap(({ ipv4, spec }) =>
      ipv4 === null ? [] : portRules(spec.ports, ipv4),
    );
    // a walk through the whole connection table: only for UDP, whose clients do not notice that the other end is new
    const udp = rules.filter(({ protocol }) => protocol === "udp");
    const flowsTo = [...new Set(udp.map(({ containerIp }) => parseIpv4(containerIp) ?? 0))];
    for (const { spec } of live.records) spec.ports = [];
    const links = live.records.flatMap(({ spec }) => (spec.link === "" ? [] : [spec.link]));
    await host.unpublish(rules);
    await Promise.all([
      call("tearDown", { links, namespaces: this.ownNamespaces(live), flowsTo }),
      publisher.release(live.bound.splice(0)),
    ]);
    this.forget(live);
    this.restIfEmpty();
  }

  /** Its namespace, unless others are in it too (the host's). */
  private ownNamespaces(live: Live): string[] {
    const path = live.records[0]?.spec.netnsPath;
    const others = [...this.lives.values()].filter((other) => other !== live);
    const shared = others.some((other) => other.records.some(({ spec }) => spec.netnsPath === path));
    return path === undefined || shared ? [] : [path];
  }

  private forget(live: Live): void {
    this.lives.delete(live.containerId);
    this.tools.endpoints.removeContainer(live.containerId);
    for (const record of live.records) this.releaseAddress(record);
  }

  private releaseAddress({ networkId, ipv4 }: EndpointRecord): void {
    if (ipv4 !== null) this.tools.addresses.release(networkId, ipv4);
  }

  private async removeNamespace(path: string): Promise<void> {
    if (!this.isUsed(path)) await this.tools.call("tearDown", { links: [], namespaces: [path], flowsTo: [] });
  }

  private restIfEmpty(): void {
    if (this.lives.size === 0) this.tools.host.idle();
  }

  private remember(sandbox: Pick<Live, "containerId" | "records">): Live {
    const live: Live = { ...sandbox, bound: [], settled: Promise.resolve() };
    this.lives.set(sandbox.containerId, live);
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

const publishedOf = (bound: readonly BoundPort[]) => bound.map(({ published }) => published);

/** Docker's words around a failure to publish. */
async function external<T>(
  request: Pick<SandboxRequest, "containerName">,
  record: EndpointRecord,
  publish: () => T | Promise<T>,
): Promise<T> {
  try {
    return await publish();
  } catch (error) {
    const endpoint = `${request.containerName} (${record.id})`;
    throw wrap(`driver failed programming external connectivity on endpoint ${endpoint}`, error);
  }
}

function stateOf(records: readonly EndpointRecord[]): SandboxState {
  return {
    sandboxId: records[0]?.spec.sandboxId ?? "",
    netnsPath: records[0]?.spec.netnsPath ?? "",
    endpoints: Object.fromEntries(records.map(({ spec }) => [spec.networkName, { ...spec.settings }])),
    ports: portMap(records.flatMap(({ spec }) => spec.ports)),
  };
}
