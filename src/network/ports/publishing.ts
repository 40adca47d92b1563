import { EngineError, wrap } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { PortMap } from "../../types/api.ts";
import type { PortRequest, RepublishRequest } from "../contract.ts";
import type { Definitions } from "../definitions/definitions.ts";
import { readBridge } from "../definitions/driver-options.ts";
import { gatewaysOf } from "../endpoints/gateways.ts";
import type { EndpointRecord, EndpointStore } from "../endpoints/store.ts";
import type { HostSide } from "../host/host-side.ts";
import type { PortRules } from "../host/rules.ts";
import type { Live } from "../sandboxes/live.ts";
import { type BoundPort, setApart } from "./bound.ts";
import { checkPort, type PublishedPort, type PublishTarget, portMap, portRules } from "./published.ts";
import type { Publisher } from "./publisher.ts";

interface PublishingTools {
  publisher: Publisher;
  endpoints: EndpointStore;
  definitions: Definitions;
  host: HostSide;
  /** ports are served by sockets alone, so that the host's INPUT rules see who comes; SCTP has no sockets */
  bySockets: boolean;
  logger: Logger;
}

/** The endpoint by which a container's ports are published, and where they lead. */
interface Publishing {
  record: EndpointRecord;
  target: PublishTarget;
}

/** Published ports of sandboxes: they belong to the network that has the default route, and move with it. */
export class Ports {
  private readonly tools: PublishingTools;

  constructor(tools: PublishingTools) {
    this.tools = tools;
  }

  /** Docker's sentence, before anything is made, for a port that is another container's. */
  precheck(containerName: string, records: readonly EndpointRecord[], ports: readonly PortRequest[]): void {
    const way = this.wayOf(records);
    if (!way || ports.length === 0) return;
    external(containerName, way.record, () => this.tools.publisher.precheck(ports, way.target));
  }

  /** Publishes all or nothing. A container that no network lets out publishes nothing. */
  async publish(live: Live, containerName: string, ports: readonly PortRequest[]): Promise<void> {
    const way = this.wayOf(live.records);
    if (!way || ports.length === 0) return;
    const bound = await externally(containerName, way.record, this.tools.publisher.bind(ports, way.target));
    live.bound.push(...bound);
    await this.tools.host.ensure();
    await this.record(live, way);
  }

  /** Takes all ports of a sandbox back, whose rows are about to go. */
  async unpublish(live: Live): Promise<void> {
    const { rules } = live;
    for (const { spec } of live.records) spec.ports = [];
    live.rules = noRules;
    await this.tools.host.exchange(rules, noRules);
    await this.tools.publisher.release(live.bound.splice(0));
  }

  /**
   * The default route is by these records now: what is published is so by the new way, at the same places, which are held
   * throughout. The rules lead to the old way until they lead to the new one; what fails leaves them there.
   */
  async move(
    live: Live,
    records: readonly EndpointRecord[],
    containerName: string,
    ports: readonly PortRequest[],
  ): Promise<void> {
    const { publisher, host } = this.tools;
    const way = this.wayOf(records);
    const report = this.reportOf(containerName);
    const asked = way ? askedAgain(ports, portsOf(live)) : [];
    const { bound, left } = way
      ? await externally(containerName, way.record, publisher.move(live.bound, asked, way.target, report))
      : { bound: [], left: [...live.bound] };
    live.bound = [...bound, ...left]; // whatever fails from here on: they are held, and let go of with the sandbox
    if (asked.length > 0) await host.ensure();
    const exchanged = this.record(live, way, bound);
    if (way) publisher.lead(bound, way.target);
    await exchanged.finally(() => publisher.release(left));
  }

  /** The same for a sandbox whose requests nobody knows any more: what is recorded is published. */
  moveRecorded(live: Live, records: readonly EndpointRecord[], containerName: string): Promise<void> {
    const requests = portsOf(live).map(askedAs);
    return this.move(live, records, containerName, requests);
  }

  /** Nothing is published any more. */
  async drop(live: Live): Promise<void> {
    await this.tools.publisher.release(live.bound.splice(0));
    await this.record(live, undefined);
  }

  /** Ports of a sandbox that stands; see the contract. */
  async republish(
    live: Live | undefined,
    { containerName, add, remove }: RepublishRequest,
  ): Promise<PortMap> {
    const { publisher, host } = this.tools;
    for (const request of add) checkPort(request);
    const way = live && this.wayOf(live.records);
    if (!live || !way)
      throw new EngineError("conflict", `container ${containerName} has no address to publish ports of`);
    await host.ensure();
    const apart = await this.setApart(live, way, [...add, ...remove]);
    const goes = ({ published }: BoundPort): boolean =>
      remove.some(({ port, protocol }) => port === published.port && protocol === published.protocol);
    const stays = apart.filter((one) => !goes(one));
    const [open, held] = [stays.filter(isOpen), stays.filter((one) => !isOpen(one))];
    const asked = [...held.map(({ published }) => askedAs(published)), ...add];
    const report = this.reportOf(containerName);
    const moved = publisher.move(live.bound, asked, way.target, report);
    const { bound, left } = await externally(containerName, way.record, moved);
    const after = [...open, ...bound];
    let exchanged: Promise<void>;
    try {
      exchanged = this.record(live, way, after);
    } catch (error) {
      const [before, kept] = [new Set(apart), new Set(live.bound)];
      await publisher.release(bound.filter((one) => !before.has(one)));
      const lost = apart.filter((one) => !kept.has(one));
      live.bound.push(...(await publisher.restore(lost, way.target, report)));
      throw error;
    }
    publisher.lead(after, way.target);
    // it is recorded: what leaves is nobody's any more, also where the rules could not be changed
    await exchanged.finally(() => publisher.release(left.filter((one) => !open.includes(one))));
    return portMap(way.record.spec.ports);
  }

  /** These ports of the container are held each by itself; records and rules stay. */
  private async setApart(
    live: Live,
    { target }: Publishing,
    ports: readonly Pick<PortRequest, "port" | "protocol">[],
  ): Promise<readonly BoundPort[]> {
    const before = live.bound;
    const apart = before.flatMap((one) => setApart(one, ports));
    live.bound = [...apart];
    this.tools.publisher.lead(apart, target);
    const pieces = new Set(apart);
    await this.tools.publisher.release(before.filter((one) => !pieces.has(one)));
    return apart;
  }

  private reportOf(container: string): (text: string) => void {
    return (text) => this.tools.logger.warn(text, { container });
  }

  /** Holds recorded ports again after an engine restart. */
  async rebind(live: Live, report: (text: string) => void): Promise<void> {
    const way = this.wayOf(live.records);
    if (!way || live.bound.length > 0) return;
    live.bound.push(...(await this.tools.publisher.rebind(portsOf(live), way.target, report)));
  }

  /** The rules for the ports in the records. */
  rulesOf({ records }: Pick<Live, "records">): PortRules {
    const way = this.wayOf(records);
    return way ? this.rulesFor(portsOf({ records }), way.target) : noRules;
  }

  /**
   * What is bound is published, by this way: records and rules change in one step, and the Worker is asked in the same.
   * It does one thing after the other, so that whatever it is asked later it finds the rules as they are recorded.
   */
  private record(live: Live, way: Publishing | undefined, bound = live.bound): Promise<void> {
    const before = live.rules;
    const changed = live.records.filter((one) => one === way?.record || one.spec.ports.length > 0);
    const ports = bound.map(({ published }) => published);
    const portsAfter = (one: EndpointRecord): PublishedPort[] => (one === way?.record ? ports : []);
    // rows first: where they cannot be written, nothing has changed
    this.tools.endpoints.update(
      changed.map((one) => ({ ...one, spec: { ...one.spec, ports: portsAfter(one) } })),
    );
    for (const one of changed) one.spec.ports = portsAfter(one);
    if (way) way.record.spec.ports = ports;
    live.bound = bound;
    live.rules = way ? this.rulesFor(way.record.spec.ports, way.target) : noRules;
    return this.tools.host.exchange(before, live.rules);
  }

  private rulesFor(ports: readonly PublishedPort[], target: PublishTarget): PortRules {
    const { published, routed } = portRules(ports, target);
    if (!this.tools.bySockets) return { published, routed };
    return {
      published: published.filter(({ protocol, count = 1 }) => protocol === "sctp" || count > 1),
      routed,
    };
  }

  private wayOf(records: readonly EndpointRecord[]): Publishing | undefined {
    const { v4, v6 } = gatewaysOf(records);
    const [by4, by6] = [this.bridgeOf(v4), this.bridgeOf(v6)];
    const record = (by4 && v4) ?? (by6 && v6);
    if (!record) return undefined;
    const target = {
      ipv4: (by4 && v4?.ipv4) ?? "",
      ipv6: (by6 && v6?.ipv6) ?? "",
      routed4: by4?.mode4 === "routed",
      routed6: by6?.mode6 === "routed",
      bindAddress: by4?.bindAddress ?? "",
      owner: () => record.spec.containerName,
    };
    return { record, target };
  }

  /** Ports are published by bridges only. */
  private bridgeOf(record: EndpointRecord | undefined) {
    const definition = record && this.tools.definitions.get(record.networkId);
    return definition?.driver === "bridge" ? readBridge(definition) : undefined;
  }
}

export const noRules: PortRules = { published: [], routed: [] };

const portsOf = ({ records }: Pick<Live, "records">): PublishedPort[] =>
  records.flatMap(({ spec }) => spec.ports);

/** A request for what is published. */
const askedAs = (published: PublishedPort): PortRequest => ({
  ...published,
  hostPortEnd: published.hostPort,
});

/** It takes no port of the host. */
const isOpen = ({ published }: BoundPort): boolean => published.hostPort === 0;

/** The same requests with the host ports that were given for them. */
function askedAgain(ports: readonly PortRequest[], kept: readonly PublishedPort[]): PortRequest[] {
  return ports.map((request) => {
    const before = kept.find(
      ({ port, protocol, hostPort, count = 1 }) =>
        port === request.port &&
        count === (request.count ?? 1) &&
        protocol === request.protocol &&
        hostPort !== 0 &&
        (request.hostPort === 0 || (hostPort >= request.hostPort && hostPort <= request.hostPortEnd)),
    );
    return before ? { ...request, hostPort: before.hostPort, hostPortEnd: before.hostPort } : request;
  });
}

const failure = (containerName: string, record: EndpointRecord, error: unknown): EngineError =>
  wrap(`driver failed programming external connectivity on endpoint ${containerName} (${record.id})`, error);

/** Docker's words around a failure to publish. */
function external(containerName: string, record: EndpointRecord, publish: () => void): void {
  try {
    publish();
  } catch (error) {
    throw failure(containerName, record, error);
  }
}

const externally = <T>(containerName: string, record: EndpointRecord, published: Promise<T>): Promise<T> =>
  published.catch((error: unknown) => {
    throw failure(containerName, record, error);
  });
