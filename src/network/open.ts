import { join } from "node:path";
import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { State } from "../state/database.ts";
import { Addresses } from "./addresses.ts";
import type { Networks, RepublishRequest, SandboxRequest, SandboxState } from "./contract.ts";
import { Definitions, inspectNetwork, readBridge } from "./definitions.ts";
import { EndpointStore } from "./endpoint-store.ts";
import { HostSide } from "./host-side.ts";
import { formatIpv4, parseIpv4, subnetOf } from "./ipv4.ts";
import { hasLeftovers, hostSubnets } from "./kernel/probe.ts";
import { LazyWorker } from "./lazy-worker.ts";
import { NamespacePool } from "./namespace-pool.ts";
import { forwardPort } from "./ports/forward.ts";
import { hostHasIpv6, localPortRange } from "./ports/host-ports.ts";
import { Publisher } from "./ports/publisher.ts";
import { type DefaultBridgeOptions, definePredefined } from "./predefined.ts";
import { checkRequest } from "./requests.ts";
import { buildResolvConf, readHostResolvConf } from "./resolv-conf.ts";
import { Sandboxes } from "./sandboxes.ts";

export interface NetworkOptions extends DefaultBridgeOptions {
  state: State;
  execRoot: string;
  /** names the nftables table, so that engines live side by side */
  engineId: string;
  /** sets net.ipv4.ip_forward, without which containers reach only this host */
  ipForward: boolean;
  logger: Logger;
}

const pooledNamespaces = 2;
/** how long bridge, table and spare namespaces outlive the last container */
const lingerMs = 1000;
const workerIdleMs = 30_000;

export async function openNetworks(options: NetworkOptions): Promise<Networks> {
  settleSubnets(options, new Definitions(options.state));
  const report = (error: unknown): void =>
    options.logger.warn("end the idle network worker", { error: messageOf(error) });
  return new EngineNetworks(options, new LazyWorker(workerIdleMs, report));
}

function settleSubnets(options: NetworkOptions, definitions: Definitions): void {
  const subnets = hostSubnets(options.bridge).map(({ address, prefix }) =>
    subnetOf(parseIpv4(address) ?? 0, prefix),
  );
  definePredefined(options.state, definitions, options, subnets);
}

/** Of the engine's id, so that engines do not meddle with each other's rules. */
const tableName = (engineId: string): string => `berth-${engineId.replace(/[^0-9A-Za-z]/g, "").slice(0, 12)}`;

/** The service: definitions and sandboxes behind the contract. */
class EngineNetworks implements Networks {
  private readonly definitions: Definitions;
  private readonly sandboxes: Sandboxes;
  private readonly worker: LazyWorker;

  constructor(options: NetworkOptions, worker: LazyWorker) {
    const { state, logger, bridge } = options;
    const { call } = worker;
    const table = tableName(options.engineId);
    const netnsFolder = join(options.execRoot, "netns");
    const endpoints = new EndpointStore(state);
    const pool = new NamespacePool(call, netnsFolder, pooledNamespaces);
    this.worker = worker;
    this.definitions = new Definitions(state);
    const host = new HostSide({
      call,
      table,
      bridges: () => this.bridges(),
      ports: () => this.sandboxes.publishedRules(),
      forward: options.ipForward,
      lingerMs,
      onIdle: () => pool.drain(),
      logger,
    });
    const publisher = new Publisher({
      defaultAddress: options.defaultBindAddress,
      hasIpv6: hostHasIpv6(),
      randomRange: localPortRange(),
      forward: forwardPort,
    });
    const addresses = new Addresses((network) =>
      endpoints
        .all()
        .flatMap(({ networkId, ipv4 }) => (networkId === network && ipv4 !== null ? [ipv4] : [])),
    );
    const { definitions } = this;
    this.sandboxes = new Sandboxes({
      call,
      definitions,
      endpoints,
      addresses,
      publisher,
      pool,
      host,
      netnsFolder,
      logger,
      leftovers: () => hasLeftovers({ bridge, table, netnsFolder }),
      settleSubnets: () => settleSubnets(options, definitions),
    });
  }

  list = () => this.definitions.all().map(inspectNetwork);
  get = (nameOrId: string) => inspectNetwork(this.definitions.find(nameOrId));
  open = (request: SandboxRequest) => this.sandboxes.open(request);
  close = (containerId: string) => this.sandboxes.close(containerId);
  republish = (request: RepublishRequest) => this.sandboxes.republish(request);
  adopt = (containerId: string, _state: SandboxState) => this.sandboxes.adopt(containerId);
  sweep = (alive: ReadonlySet<string>) => this.sandboxes.sweep(alive);

  check(request: SandboxRequest): void {
    checkRequest(request);
    // it is asked at create: by start the Worker is there
    this.worker.warm();
  }

  async resolvConf(options: Parameters<Networks["resolvConf"]>[0]): Promise<string> {
    return buildResolvConf(await readHostResolvConf(options), options);
  }

  hostGateway(): string {
    return formatIpv4(readBridge(this.definitions.find("bridge")).gateway);
  }

  async shutdown(alive: ReadonlySet<string>): Promise<void> {
    await this.sandboxes.shutdown(alive);
    await this.worker.end();
  }

  private bridges() {
    return this.definitions.all().flatMap((item) => (item.driver === "bridge" ? [readBridge(item)] : []));
  }
}
