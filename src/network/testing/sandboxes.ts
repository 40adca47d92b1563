import { silentLogger } from "../../lib/log.ts";
import { State } from "../../state/database.ts";
import { Addresses } from "../addresses/addresses.ts";
import { defaultSubnetPools } from "../addresses/pools.ts";
import type { PortRequest, SandboxRequest } from "../contract.ts";
import { Definitions } from "../definitions/definitions.ts";
import { readBridge } from "../definitions/driver-options.ts";
import { definePredefined } from "../definitions/predefined.ts";
import { EndpointStore } from "../endpoints/store.ts";
import { HostSide } from "../host/host-side.ts";
import { Directory } from "../names/directory.ts";
import { Publisher } from "../ports/publisher.ts";
import { Membership } from "../sandboxes/membership.ts";
import { NamespacePool } from "../sandboxes/namespace-pool.ts";
import { Sandboxes } from "../sandboxes/sandboxes.ts";
import type { Call } from "../worker/protocol.ts";

const options = {
  bridge: "berth0",
  subnetPools: defaultSubnetPools,
  icc: true,
  ipMasq: true,
  defaultBindAddress: "",
  ipv6: false,
  engineId: "x",
};

/** An engine's network on a kernel that writes down what it is asked; `failing` names what goes wrong once. */
export function setUp(state = State.inMemory(), failing: Record<string, Error> = {}) {
  definePredefined(state, new Definitions(state), options, []);
  const asked: string[] = [];
  const missing: string[] = [];
  const commands: string[] = [];
  const asking: (() => void)[] = [];
  const told = { presence: (): void => undefined };
  const call = (async (method: string, args: { commands?: string }) => {
    asked.push(method);
    if (args.commands !== undefined) commands.push(args.commands);
    for (const each of asking) each();
    const error = failing[method];
    delete failing[method];
    if (error) throw error;
    return method === "differences" ? [] : undefined;
  }) as unknown as Call;
  const definitions = new Definitions(state);
  const endpoints = new EndpointStore(state);
  const pool = new NamespacePool(call, "/run/netns", 1);
  const publisher = new Publisher({
    defaultAddress: "",
    hasIpv6: true,
    randomRange: { first: 32768, last: 60999 },
    socketsMax: 100,
    containerMax: 200,
    forward: async () => ({ close: async () => undefined, lead: () => undefined }),
  });
  const host = new HostSide({
    call,
    table: "berth-x",
    bridges: () => [readBridge(definitions.find("bridge"))],
    ports: () => sandboxes.publishedRules(),
    links: () => sandboxes.bridgePorts(),
    forward: true,
    lingerMs: 5,
    onIdle: () => pool.drain(),
    againMs: 5,
    listen: (heard) => {
      told.presence = () => heard();
      return Promise.resolve({ take: () => ({ rules: false, presence: true }), close: () => undefined });
    },
    missing: () => missing.splice(0),
    mark: () => undefined,
    passage: {
      ensure: () => Promise.resolve(),
      remove: () => Promise.resolve(),
      examine: () => Promise.resolve([]),
    },
    logger: silentLogger,
  });
  const addresses = new Addresses((network) => endpoints.addressesIn(network));
  const directory = new Directory();
  const tools = {
    call,
    definitions,
    endpoints,
    addresses,
    publisher,
    pool,
    host,
    directory,
    logger: silentLogger,
  };
  const sandboxes: Sandboxes = new Sandboxes({
    ...tools,
    bySockets: false,
    netnsFolder: "/run/netns",
    leftovers: () => true,
    settleSubnets: () => undefined,
  });
  return {
    sandboxes,
    missing,
    told,
    asked,
    commands,
    asking,
    endpoints,
    definitions,
    directory,
    membership: new Membership(sandboxes),
    state,
  };
}

export const request = (
  containerId: string,
  network = "bridge",
  ports: PortRequest[] = [],
): SandboxRequest => ({
  containerId,
  containerName: `name-${containerId}`,
  hostname: containerId,
  networks: { [network]: {} },
  ports,
});
export const web: PortRequest = { port: 80, protocol: "tcp", hostIp: "", hostPort: 8080, hostPortEnd: 8080 };
