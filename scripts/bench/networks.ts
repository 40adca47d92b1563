/**
 * Networks at scale and under load: does set-up time or the cost of a packet grow with what is there already?
 *
 *     bun scripts/bench/networks.ts [--networks 200] [--containers 500] [--ports 1000]
 *
 * Needs root and dist/berth. Times are medians; take ratios, not absolutes, on a busy machine. Throughput beside Docker's
 * is in throughput.ts.
 */
import { berth, startEngine, type TestEngine } from "../../tests/harness/engine.ts";

const args = process.argv.slice(2);
const option = (name: string, standard: string): string => {
  const at = args.indexOf(`--${name}`);
  return (at >= 0 && args[at + 1]) || standard;
};
const counts = {
  networks: Number(option("networks", "200")),
  containers: Number(option("containers", "500")),
  ports: Number(option("ports", "1000")),
};

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
const told = (ms: number): string => `${ms.toFixed(1)} ms`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function post(engine: TestEngine, path: string, body: unknown = {}): Promise<{ Id?: string }> {
  const answer = await engine.api(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok && answer.status !== 304) throw new Error(`${path}: ${text}`);
  return text === "" ? {} : (JSON.parse(text) as { Id?: string });
}

/** Time of a start alone; the container stays. */
async function start(
  engine: TestEngine,
  network: string,
  ports: Record<string, unknown> = {},
): Promise<number> {
  const { Id = "" } = await post(engine, "/containers/create", {
    Image: "busybox",
    Cmd: ["sleep", "100000"],
    HostConfig: { NetworkMode: network, PortBindings: ports },
  });
  return timed(() => post(engine, `/containers/${Id}/start`));
}

const bindings = (first: number, count: number): Record<string, unknown> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${index + 1}/tcp`, [{ HostPort: String(first + index) }]]),
  );

async function series(count: number, step: (index: number) => Promise<number>): Promise<string> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) times.push(await step(index));
  const part = Math.max(1, Math.min(50, count >> 2));
  return `first ${part}: ${told(median(times.slice(0, part)))}, last ${part}: ${told(median(times.slice(-part)))}`;
}

async function removeAll(engine: TestEngine): Promise<void> {
  const ids = (await engine.ok("ps", "-aq")).split("\n").filter(Boolean);
  for (let at = 0; at < ids.length; at += 100)
    await engine.run([berth, "rm", "-f", ...ids.slice(at, at + 100)], { timeoutMs: 600_000 });
}

async function manyNetworks(engine: TestEngine): Promise<void> {
  const made = await series(counts.networks, (index) =>
    timed(() =>
      post(engine, "/networks/create", {
        Name: `n${index}`,
        IPAM: { Config: [{ Subnet: `10.200.${index}.0/24` }] },
      }),
    ),
  );
  console.log(`${counts.networks} networks, create: ${made}`);
  await engine.stop("SIGTERM");
  console.log(`engine start with them: ${told(await timed(() => engine.start()))}`);
  const last = await series(10, () => start(engine, `n${counts.networks - 1}`));
  console.log(`container start in the last of them: ${last}`);
  await removeAll(engine);
  for (let index = 0; index < counts.networks; index++)
    await engine.api(`/networks/n${index}`, { method: "DELETE" });
}

/** A running container joins a network and leaves it: the networks' own part of a start. */
async function joining(engine: TestEngine, network: string): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < 20; round++) {
    times.push(await timed(() => post(engine, `/networks/${network}/connect`, { Container: "probe" })));
    await post(engine, `/networks/${network}/disconnect`, { Container: "probe" });
  }
  return told(median(times));
}

async function manyContainers(engine: TestEngine): Promise<void> {
  await engine.ok("network", "create", "--subnet", "10.201.0.0/16", "full");
  await engine.ok("run", "-d", "--name", "probe", "busybox", "sleep", "100000");
  console.log(`joining an empty network: ${await joining(engine, "full")}`);
  const started = await series(counts.containers, () => start(engine, "full"));
  console.log(`${counts.containers} containers on one network, start: ${started}`);
  console.log(`joining it: ${await joining(engine, "full")}`);
  const again = await timed(async () => {
    await engine.stop("SIGKILL");
    await engine.start();
  });
  console.log(`engine killed and started with them: ${told(again)}`);
  await removeAll(engine);
  await engine.ok("network", "rm", "full");
}

/** Connections a second to a published port, 64 at a time. */
async function connectionRate(engine: TestEngine, port: number): Promise<number> {
  const script = `
    const net = require("node:net");
    let count = 0;
    const end = Date.now() + 4000;
    const one = () => new Promise((done) => {
      const socket = net.connect(${port}, "10.99.99.1", () => socket.destroy());
      socket.on("error", () => socket.destroy());
      socket.on("close", done);
    });
    const lane = async () => { while (Date.now() < end) { await one(); count++; } };
    await Promise.all(Array.from({ length: 64 }, lane));
    console.log(count / 4);`;
  const { stdout } = await engine.run([process.execPath, "-e", script]);
  return Number(stdout);
}

async function manyPorts(engine: TestEngine): Promise<void> {
  await engine.ok(
    "run",
    "-d",
    "--name",
    "web",
    "-p",
    "9999:80",
    "busybox",
    "sh",
    "-c",
    "mkdir /w; exec httpd -f -h /w",
  );
  await Bun.sleep(500);
  const plain: number[] = [];
  const one: number[] = [];
  for (let index = 0; index < 20; index++) {
    plain.push(await start(engine, "bridge"));
    one.push(await start(engine, "bridge", bindings(20_000 + index, 1)));
  }
  console.log(`start: ${told(median(plain))}; with one port: ${told(median(one))}`);
  const few = await connectionRate(engine, 9999);
  const each = 50;
  const more = await series(Math.ceil(counts.ports / each), (index) =>
    start(engine, "bridge", bindings(10_000 + index * each, each)),
  );
  console.log(`${counts.ports} ports, start with ${each} more: ${more}`);
  const late: number[] = [];
  for (let index = 0; index < 10; index++)
    late.push(await start(engine, "bridge", bindings(21_000 + index, 1)));
  console.log(`start with one port, with those there: ${told(median(late))}`);
  console.log(
    `connections a second: ${few.toFixed(0)} with few ports, ${(await connectionRate(engine, 9999)).toFixed(0)} with all`,
  );
  await removeAll(engine);
}

const engine = await startEngine({ images: ["busybox"] });
try {
  if (counts.ports > 0) await manyPorts(engine);
  if (counts.networks > 0) await manyNetworks(engine);
  if (counts.containers > 0) await manyContainers(engine);
} finally {
  await removeAll(engine).catch((error: unknown) => console.error(error));
  await engine.destroy();
}
