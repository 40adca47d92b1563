import { EngineError, messageOf } from "../../lib/errors.ts";
import type { ConnectRequest, DisconnectRequest, PortRequest, SandboxState } from "../contract.ts";
import type { NetworkDefinition } from "../definitions/definitions.ts";
import { type Gateways, gatewaysOf, rerouting, sameGateways } from "../endpoints/gateways.ts";
import { renamed } from "../endpoints/names.ts";
import type { PlannedEndpoint } from "../endpoints/plan.ts";
import { checkEndpoint, endpointSettings } from "../endpoints/requests.ts";
import type { EndpointRecord } from "../endpoints/store.ts";
import { isAnchor, type Live, stateOf } from "./live.ts";
import type { Sandboxes } from "./sandboxes.ts";

/** Changes of the networks that a standing sandbox is in. Calls for one container come one at a time. */
export class Membership {
  private readonly sandboxes: Sandboxes;

  constructor(sandboxes: Sandboxes) {
    this.sandboxes = sandboxes;
  }

  /** What fails leaves the sandbox as it was. */
  async connect(request: ConnectRequest): Promise<SandboxState> {
    const { network, asked, containerName } = request;
    const { tools } = this.sandboxes;
    const definition = tools.definitions.find(network);
    checkEndpoint(network, asked, definition);
    const live = this.standing(request.containerId, containerName);
    refuseConnect(live, definition, containerName);
    const namespace = { sandboxId: live.sandboxId, path: live.netnsPath };
    const planned = this.sandboxes.plan(request, { definition, asked }, namespace, live.records);
    tools.endpoints.add([planned.record]);
    const before = gatewaysOf(live.records);
    try {
      await this.wire(live, planned);
      await this.settle(live, before, request);
      await this.sandboxes.attachResolver(live);
    } catch (error) {
      await this.depart(live, planned.record, (staying) =>
        this.sandboxes.ports.move(live, staying, containerName, request.ports),
      ).catch((failure: unknown) =>
        tools.logger.warn("undo a connection", { network, error: messageOf(failure) }),
      );
      throw error;
    }
    this.dropAnchor(live);
    this.sandboxes.introduce({ records: [planned.record] });
    return stateOf(live);
  }

  async disconnect(request: DisconnectRequest): Promise<SandboxState> {
    const { network, containerId, containerName } = request;
    const { tools } = this.sandboxes;
    const definition = tools.definitions.find(network);
    const live = this.standing(containerId, containerName);
    const record = live.records.find((one) => one.networkId === definition.id && !isAnchor(one));
    if (!record)
      throw new EngineError("forbidden", `container ${containerId} is not connected to network ${network}`);
    if (definition.driver === "null") {
      // the row itself stays as the anchor
      record.spec.anchor = true;
      tools.endpoints.update([record]);
      return stateOf(live);
    }
    tools.directory.remove(containerId, definition.id);
    this.addAnchor(live, record);
    await this.depart(live, record, (staying) =>
      this.sandboxes.ports.move(live, staying, containerName, request.ports),
    );
    return stateOf(live);
  }

  /**
   * An engine was killed while it connected or disconnected a container: what is recorded beyond `kept` (ids of
   * networks) is taken away.
   */
  async finish(containerId: string, kept: ReadonlySet<string>): Promise<void> {
    const live = this.sandboxes.get(containerId);
    const strays = live?.records.filter((record) => !isAnchor(record) && !kept.has(record.networkId)) ?? [];
    if (!live) return;
    for (const record of strays) {
      this.addAnchor(live, record);
      await this.depart(live, record, (staying) =>
        this.sandboxes.ports.moveRecorded(live, staying, record.spec.containerName),
      );
    }
  }

  /** The names it is known by follow its own. Nothing is told of a container without a sandbox. */
  rename(containerId: string, name: string): SandboxState | undefined {
    const live = this.sandboxes.get(containerId);
    if (!live) return undefined;
    for (const record of live.records) {
      const { settings, containerName } = record.spec;
      settings.DNSNames = renamed(settings.DNSNames, containerName, name);
      record.spec.containerName = name;
      const names = settings.DNSNames ?? [];
      this.sandboxes.tools.directory.rename(containerId, name, record.networkId, names);
    }
    this.sandboxes.tools.endpoints.update(live.records);
    return stateOf(live);
  }

  private standing(containerId: string, containerName: string): Live {
    const live = this.sandboxes.get(containerId);
    if (!live) throw new EngineError("conflict", `container ${containerName} is not running`);
    return live;
  }

  private async wire(live: Live, { record, plan }: PlannedEndpoint): Promise<void> {
    this.sandboxes.tools.host.busy();
    if (plan) await this.sandboxes.wireLinks([plan]);
    live.records.push(record);
  }

  /**
   * Takes an endpoint away. What goes by it is moved to those that stay, first: where that fails, it is over, and the
   * endpoint goes all the same.
   */
  private async depart(
    live: Live,
    record: EndpointRecord,
    move: (staying: readonly EndpointRecord[]) => Promise<void>,
  ): Promise<void> {
    const { tools, ports } = this.sandboxes;
    const staying = live.records.filter((one) => one !== record);
    const now = gatewaysOf(staying);
    const moves = !sameGateways(gatewaysOf([...staying, record]), now);
    const tell = (error: unknown): void =>
      tools.logger.error("move a container's default route and ports", {
        container: live.containerId,
        error: messageOf(error),
      });
    if (moves)
      await move(staying).catch((error: unknown) => {
        tell(error);
        return ports.drop(live);
      });
    await this.leave(live, record);
    if (moves) await tools.call("reroute", rerouting(live.netnsPath, now)).catch(tell);
  }

  /** Its address is free only when its interface is gone. */
  private async leave(live: Live, record: EndpointRecord): Promise<void> {
    const { call, endpoints } = this.sandboxes.tools;
    const { netnsPath, interface: name, link } = record.spec;
    if (name !== "") await call("unwire", { netnsPath, name, link });
    live.records = live.records.filter((one) => one !== record);
    endpoints.remove(record.id);
    this.sandboxes.releaseAddresses(record);
  }

  /** Default route and published ports follow the networks that the container is in now. */
  private async settle(
    live: Live,
    before: Gateways,
    { containerName, ports }: { containerName: string; ports: readonly PortRequest[] },
  ): Promise<void> {
    const now = gatewaysOf(live.records);
    if (sameGateways(before, now)) return;
    await this.sandboxes.tools.call("reroute", rerouting(live.netnsPath, now));
    await this.sandboxes.ports.move(live, live.records, containerName, ports);
  }

  /** The last network is being left: one row stays, for the next engine to find the namespace by. */
  private addAnchor(live: Live, leaving: EndpointRecord): void {
    if (live.records.length > 1) return;
    const { definitions, endpoints } = this.sandboxes.tools;
    const none = definitions.find("none").id;
    const settings = endpointSettings({}, { NetworkID: none, EndpointID: "" });
    const spec = { ...leaving.spec, settings, link: "", interface: "", ports: [], anchor: true };
    const anchor = { ...leaving, id: `${leaving.id}-`, networkId: none, ipv4: null, ipv6: null, spec };
    endpoints.add([anchor]);
    live.records.push(anchor);
  }

  private dropAnchor(live: Live): void {
    for (const anchor of live.records.filter(isAnchor)) this.sandboxes.tools.endpoints.remove(anchor.id);
    live.records = live.records.filter((record) => !isAnchor(record));
  }
}

function refuseConnect(
  live: Live,
  { id, name, driver, spec }: NetworkDefinition,
  containerName: string,
): void {
  if (spec.configOnly)
    throw new EngineError("forbidden", "cannot create endpoint on configuration-only network");
  if (live.records.some((record) => record.networkId === id && !isAnchor(record)))
    throw new EngineError(
      "forbidden",
      `endpoint with name ${containerName} already exists in network ${name}`,
    );
  if (driver === "host")
    throw new EngineError(
      "invalid",
      "cannot connect container to host network - container must be created in host network mode",
    );
  const hasNone = live.records.some(({ spec: one }) => one.networkName === "none" && one.anchor !== true);
  if (hasNone || (driver === "null" && live.records.some((record) => !isAnchor(record))))
    throw new EngineError(
      "invalid",
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
}
