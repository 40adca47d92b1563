/**
 * What `../network.test.ts` looks at, run in a network and mount namespace of its own: two sandboxes,
 * an outside host behind a veth, and the questions asked between them. Prints one JSON object.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../../src/lib/log.ts";
import { defaultSubnetPools } from "../../../src/network/addresses/pools.ts";
import type { Networks, PortRequest } from "../../../src/network/contract.ts";
import { openNetworks } from "../../../src/network/open.ts";
import { State } from "../../../src/state/database.ts";
import { EventBus } from "../../../src/state/events.ts";
import type { EndpointSettings } from "../../../src/types/api.ts";
import { until } from "../../harness/until.ts";

const dying = process.argv[2] === "--die";
const root = (dying && process.argv[3]) || mkdtempSync(join(tmpdir(), "berth-network-"));
const peer = join(import.meta.dir, "peer.ts");
const children: { kill(): void }[] = [];

const sh = (command: string): string => Bun.spawnSync(["sh", "-ec", command]).stdout.toString().trim();
const inside = (netns: string, ...command: string[]): string[] => ["nsenter", `--net=${netns}`, ...command];

async function ask(netns: string, protocol: string, host: string, port: number, from = 0): Promise<string> {
  const child = Bun.spawn(
    inside(netns, process.execPath, peer, "ask", protocol, host, String(port), String(from)),
    {
      stdout: "pipe",
    },
  );
  return new Response(child.stdout).text();
}

async function serve(netns: string, ...ports: number[]): Promise<void> {
  const child = Bun.spawn(inside(netns, process.execPath, peer, "serve", ...ports.map(String)), {
    stdout: "pipe",
  });
  children.push(child);
  await child.stdout.getReader().read();
}

/** A host beyond the engine's: 10.77.0.2 and fd77::2, its default route through the engine's 10.77.0.1. */
async function outside(): Promise<string> {
  const child = Bun.spawn(["unshare", "--net", "sh", "-c", "echo ready; exec sleep 100"], { stdout: "pipe" });
  children.push(child);
  await child.stdout.getReader().read();
  const netns = `/proc/${child.pid}/ns/net`;
  sh(`ip link set lo up
    ip link add out0 type veth peer name out1 netns ${child.pid}
    ip addr add 10.77.0.1/24 dev out0; ip addr add fd77::1/64 dev out0 nodad; ip link set out0 up
    nsenter --net=${netns} sh -ec 'ip link set lo up
      ip addr add 10.77.0.2/24 dev out1; ip addr add fd77::2/64 dev out1 nodad; ip link set out1 up
      ip route add default via 10.77.0.1'`);
  return netns;
}

const openEngine = (state: State): Promise<Networks> =>
  openNetworks({
    state,
    execRoot: root,
    engineId: "test0123456789",
    bridge: "berth0",
    subnetPools: defaultSubnetPools,
    ipForward: true,
    icc: true,
    ipMasq: true,
    defaultBindAddress: "",
    defaultNetworkOptions: {},
    hostGatewayIps: [],
    portsObeyInput: false,
    passFirewalls: undefined,
    ipv6: false,
    events: new EventBus(),
    logger: silentLogger,
  });

const request = (containerId: string, network = "bridge", ports: PortRequest[] = []) => ({
  containerId,
  containerName: containerId,
  hostname: containerId,
  networks: { [network]: {} },
  ports,
});
const port = (hostPort: number, inner: number, more: Partial<PortRequest> = {}): PortRequest => ({
  port: inner,
  protocol: "tcp",
  hostIp: "",
  hostPort,
  hostPortEnd: hostPort,
  ...more,
});

const traces = () => ({
  links: sh("ip -o link | sed 's/^[0-9]*: \\([^:@]*\\).*/\\1/'")
    .split("\n")
    .filter((name) => name !== "lo" && name !== "out0"),
  rules: sh("nft list tables"),
  namespaces: readdirSync(join(root, "netns")),
  listening: sh("ss -lntuH | wc -l"),
});

async function conflict(networks: Networks, ...ports: PortRequest[]): Promise<string> {
  try {
    await (await networks.open(request("loser", "bridge", ports))).ready;
    return "";
  } catch (error) {
    return (error as Error).message.replace(/[0-9a-f]{64}/, "ID");
  } finally {
    await networks.close("loser");
  }
}

async function reach(a: string, b: string, out: string): Promise<Record<string, string>> {
  const host = "/proc/self/ns/net";
  return {
    "host's loopback": await ask(host, "tcp", "127.0.0.1", 8080),
    "host's loopback, IPv6": await ask(host, "tcp", "::1", 8080),
    "host's own address": await ask(host, "tcp", "10.77.0.1", 8080),
    "host's loopback, UDP": await ask(host, "udp", "127.0.0.1", 8081),
    "host's loopback, UDP on IPv6": await ask(host, "udp", "::1", 8081),
    "host to an unpublished port": await ask(host, "tcp", "172.17.0.2", 82),
    "host's loopback to a loopback port": await ask(host, "tcp", "127.0.0.1", 8083),
    outside: await ask(out, "tcp", "10.77.0.1", 8080),
    "outside, UDP": await ask(out, "udp", "10.77.0.1", 8081),
    "outside, IPv6": await ask(out, "tcp", "fd77::1", 8080),
    "outside to a loopback port": await ask(out, "tcp", "10.77.0.1", 8083),
    "outside to an unpublished port": await ask(out, "tcp", "172.17.0.2", 82),
    "outside to a published container port": await ask(out, "tcp", "172.17.0.2", 80),
    "neighbour, directly": await ask(b, "tcp", "172.17.0.2", 82),
    "neighbour, by the host's address": await ask(b, "tcp", "10.77.0.1", 8080),
    "neighbour, by the gateway": await ask(b, "tcp", "172.17.0.1", 8080),
    "itself, by the host's address": await ask(a, "tcp", "10.77.0.1", 8080),
    "container to the outside": await ask(b, "tcp", "10.77.0.2", 90),
    "container to its gateway": await ask(b, "tcp", "172.17.0.1", 91),
  };
}

/** A UDP client that stays on its port while the server behind the published port is replaced at another address. */
async function replaced(networks: Networks, out: string): Promise<string[]> {
  const answers: string[] = [];
  for (const [id, inner] of [
    ["u", 81],
    ["v", 82],
  ] as const) {
    const server = await networks.open(request(id, "bridge", [port(8086, inner, { protocol: "udp" })]));
    await server.ready;
    await serve(server.netnsPath, inner);
    answers.push(await ask(out, "udp", "10.77.0.1", 8086, 5555));
    if (id === "u") {
      await networks.close(id);
      await (await networks.open(request("filler"))).ready;
    }
  }
  for (const id of ["v", "filler"]) await networks.close(id);
  return answers;
}

/** An engine that dies by SIGKILL with three containers; the next one finds two of them living. */
async function afterKill(): Promise<unknown> {
  const child = Bun.spawn([process.execPath, import.meta.path, "--die", root], { stdout: "inherit" });
  await child.exited;
  const state = State.open(root);
  const networks = await openEngine(state);
  await networks.sweep(new Set(["x", "h"]));
  // a veth that was never in the bridge goes with its namespace, which the kernel ends in its own time
  const swept = await until(traces, ({ links }) => links.length <= 2);
  const rows = state.db.query("SELECT container_id FROM endpoints ORDER BY container_id").values().flat();
  const bridge = { NetworkID: networks.get("bridge").Id } as EndpointSettings;
  await networks.adopt("x", { sandboxId: "", netnsPath: "", endpoints: { bridge }, ports: {} });
  const busy = await conflict(networks, port(8090, 1));
  await networks.shutdown(new Set());
  state.close();
  return { swept, rows, busy, left: await until(traces, ({ links }) => links.length === 0) };
}

async function die(): Promise<never> {
  const networks = await openEngine(State.open(root));
  for (const id of ["x", "y", "z"])
    await (await networks.open(request(id, "bridge", [port(8090 + id.charCodeAt(0) - 120, 80)]))).ready;
  await (await networks.open(request("h", "host"))).ready;
  void networks.open(request("half", "bridge", [port(8099, 1)])); // killed while it is being made
  await Bun.sleep(1);
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => undefined);
}

async function scenario(): Promise<unknown> {
  const out = await outside();
  await serve(out, 90);
  await serve("/proc/self/ns/net", 91);
  const state = State.open(root);
  const networks = await openEngine(state);
  await networks.sweep(new Set());
  const published = [
    port(8080, 80),
    port(8081, 81, { protocol: "udp" }),
    port(8083, 83, { hostIp: "127.0.0.1" }),
  ];
  const a = await networks.open(request("a", "bridge", published));
  const b = await networks.open(request("b"));
  await Promise.all([a.ready, b.ready]);
  const none = await networks.open(request("n", "none"));
  await none.ready;
  await serve(a.netnsPath, 80, 81, 82, 83);
  const interfaces = sh(`nsenter --net=${a.netnsPath} ip -br addr`);
  const isolated = sh(`nsenter --net=${none.netnsPath} ip -br addr`);
  const reached = await reach(a.netnsPath, b.netnsPath, out);
  const loopbackGuard = await ask(b.netnsPath, "tcp", "127.0.0.1", 91);
  const conflicts = [
    await conflict(networks, port(8080, 80)),
    await conflict(networks, port(8080, 80, { hostIp: "::1" })),
    await conflict(networks, port(91, 80)),
    await conflict(networks, port(9999, 80, { hostIp: "192.0.2.77" })),
    await conflict(networks, port(8080, 80, { hostPortEnd: 8081 })),
  ];
  for (let round = 0; round < 200; round++) {
    const sandbox = await networks.open(request("r", "bridge", round % 10 === 0 ? [port(8085, 80)] : []));
    await sandbox.ready;
    await networks.close("r");
  }
  const udp = await replaced(networks, out);
  const reused = await (await networks.open(request("r"))).ready;
  for (const id of ["a", "b", "n", "r"]) await networks.close(id);
  const left = await until(
    traces,
    ({ links, rules, namespaces }) => links.length + rules.length + namespaces.length === 0,
  );
  await networks.shutdown(new Set());
  state.close();
  const address = reused.endpoints["bridge"]?.IPAddress;
  return {
    interfaces,
    isolated,
    reached,
    loopbackGuard,
    conflicts,
    address,
    udp,
    left,
    killed: await afterKill(),
  };
}

if (dying) await die();
try {
  process.stdout.write(JSON.stringify(await scenario()));
} finally {
  for (const child of children) child.kill();
  rmSync(root, { recursive: true, force: true });
}
process.exit(0);
