/**
 * Networks at scale: does set-up time or the cost of a packet grow with what is there already?
 *
 *     bun scripts/bench/networks.ts [--networks 200] [--containers 500] [--ports 1000] [--pairs 40]
 *
 * Needs root, nft and dist/berth. Times are medians, of the time that passed and of the processor's (engine, conmon and
 * runtime; it is the one to look at on a busy machine). Throughput beside Docker's is in throughput.ts.
 */
import { readFileSync } from "node:fs";
import { berth, startEngine, type TestEngine } from "../../tests/harness/engine.ts";
import { ProcessorTime } from "./processor-time.ts";
import { ruleSteps } from "./rule-steps.ts";

const args = process.argv.slice(2);
const option = (name: string, standard: string): string => {
  const at = args.indexOf(`--${name}`);
  return (at >= 0 && args[at + 1]) || standard;
};
const counts = {
  networks: Number(option("networks", "200")),
  containers: Number(option("containers", "500")),
  ports: Number(option("ports", "1000")),
  pairs: Number(option("pairs", "40")),
};

const middle = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** What a step took: milliseconds that passed, and of the processor's. */
interface Cost {
  passed: number;
  used: number;
}

const median = (costs: Cost[]): Cost => ({
  passed: middle(costs.map(({ passed }) => passed)),
  used: middle(costs.map(({ used }) => used)),
});
const told = ({ passed, used }: Cost): string => `${passed.toFixed(1)} ms (processor ${used.toFixed(1)})`;

const processor = new ProcessorTime(`berth-bench-${process.pid}`);

async function timed(work: () => Promise<unknown>): Promise<Cost> {
  const [start, used] = [performance.now(), processor.ms];
  await work();
  return { passed: performance.now() - start, used: processor.ms - used };
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

async function create(
  engine: TestEngine,
  network: string,
  ports: Record<string, unknown> = {},
): Promise<string> {
  const { Id = "" } = await post(engine, "/containers/create", {
    Image: "busybox",
    Cmd: ["sleep", "100000"],
    HostConfig: { NetworkMode: network, PortBindings: ports },
  });
  return Id;
}

/** Cost of a start alone; the container stays. */
async function start(
  engine: TestEngine,
  network: string,
  ports: Record<string, unknown> = {},
): Promise<Cost> {
  const id = await create(engine, network, ports);
  return timed(() => post(engine, `/containers/${id}/start`));
}

const bindings = (first: number, count: number): Record<string, unknown> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${index + 1}/tcp`, [{ HostPort: String(first + index) }]]),
  );

async function series(count: number, step: (index: number) => Promise<Cost>): Promise<string> {
  const costs: Cost[] = [];
  for (let index = 0; index < count; index++) costs.push(await step(index));
  const part = Math.max(1, Math.min(50, count >> 2));
  return `first ${part}: ${told(median(costs.slice(0, part)))}, last ${part}: ${told(median(costs.slice(-part)))}`;
}

/** All containers, but the one of that name. */
async function removeAll(engine: TestEngine, kept = ""): Promise<void> {
  const all = (await engine.ok("ps", "-a", "--format", "{{.ID}} {{.Names}}")).split("\n").filter(Boolean);
  const ids = all.flatMap((line) => (line.endsWith(` ${kept}`) ? [] : [line.split(" ")[0] ?? ""]));
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
  console.log(`engine start with them: ${told(await restarted(engine))}`);
  const last = await series(10, () => start(engine, `n${counts.networks - 1}`));
  console.log(`container start in the last of them: ${last}`);
  await removeAll(engine);
  for (let index = 0; index < counts.networks; index++)
    await engine.api(`/networks/n${index}`, { method: "DELETE" });
}

/** A running container joins a network and leaves it: the networks' own part of a start. */
async function joining(engine: TestEngine, network: string): Promise<string> {
  const costs: Cost[] = [];
  for (let round = 0; round < 20; round++) {
    costs.push(await timed(() => post(engine, `/networks/${network}/connect`, { Container: "probe" })));
    await post(engine, `/networks/${network}/disconnect`, { Container: "probe" });
  }
  return told(median(costs));
}

async function manyContainers(engine: TestEngine): Promise<void> {
  await engine.ok("network", "create", "--subnet", "10.201.0.0/16", "full");
  await engine.ok("run", "-d", "--name", "probe", "busybox", "sleep", "100000");
  console.log(`joining an empty network: ${await joining(engine, "full")}`);
  const started = await series(counts.containers, () => start(engine, "full"));
  console.log(`${counts.containers} containers on one network, start: ${started}`);
  console.log(`joining it: ${await joining(engine, "full")}`);
  await engine.stop("SIGKILL");
  console.log(`engine started after it was killed: ${told(await restarted(engine))}`);
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

/** Containers made before, with a port and without, started in turn: what a port adds. */
async function onePort(engine: TestEngine): Promise<void> {
  const pairs: [plain: string, port: string][] = [];
  for (let index = 0; index < counts.pairs; index++)
    pairs.push([await create(engine, "bridge"), await create(engine, "bridge", bindings(20_000 + index, 1))]);
  const seen: Record<"plain" | "port", Cost[]> = { plain: [], port: [] };
  for (const [index, pair] of pairs.entries())
    for (const which of index % 2 ? [0, 1] : [1, 0])
      seen[which === 0 ? "plain" : "port"].push(
        await timed(() => post(engine, `/containers/${pair[which]}/start`)),
      );
  const more = seen.port.map(({ passed, used }, index) => ({
    passed: passed - (seen.plain[index]?.passed ?? 0),
    used: used - (seen.plain[index]?.used ?? 0),
  }));
  console.log(`start: ${told(median(seen.plain))}; with one port: ${told(median(seen.port))}`);
  console.log(`a port adds, median of ${counts.pairs} pairs: ${told(median(more))}`);
}

async function manyPorts(engine: TestEngine): Promise<void> {
  const serve = ["sh", "-c", "mkdir /w; exec httpd -f -h /w"];
  await engine.ok("run", "-d", "--name", "web", "-p", "9999:80", "busybox", ...serve);
  await Bun.sleep(500);
  await onePort(engine);
  const [few, steps] = [await connectionRate(engine, 9999), await ruleSteps(engine, "10.99.99.1", 9999)];
  const each = 50;
  const more = await series(Math.ceil(counts.ports / each), (index) =>
    start(engine, "bridge", bindings(10_000 + index * each, each)),
  );
  console.log(`${counts.ports} ports, start with ${each} more: ${more}`);
  const late = await series(10, (index) => start(engine, "bridge", bindings(21_000 + index, 1)));
  console.log(`start with one port, with those there: ${late}`);
  const [many, stepsThen] = [await connectionRate(engine, 9999), await ruleSteps(engine, "10.99.99.1", 9999)];
  console.log(`rules that a connection's first packet meets: ${steps} with few ports, ${stepsThen} with all`);
  await removeAll(engine, "web");
  const again = await connectionRate(engine, 9999);
  const rates = [few, many, again].map((rate) => rate.toFixed(0)).join(", ");
  console.log(`connections a second with few ports, with all, with few again: ${rates}`);
  await removeAll(engine);
}

/** Starts the engine again; its processor time is of all its threads until it answers, told in steps of 10 ms. */
async function restarted(engine: TestEngine): Promise<Cost> {
  const start = performance.now();
  await engine.start();
  const passed = performance.now() - start;
  // proc_pid_stat(5): utime and stime are the 14th and 15th fields, the name (2nd) may hold blanks
  const fields = readFileSync(`/proc/${engine.pid}/stat`, "latin1").replace(/.*\) /, "").split(" ");
  processor.follow(engine.pid);
  return { passed, used: (Number(fields[11]) + Number(fields[12])) * 10 };
}

const engine = await startEngine({ images: ["busybox"] });
processor.follow(engine.pid);
try {
  if (counts.ports > 0) await manyPorts(engine);
  if (counts.networks > 0) await manyNetworks(engine);
  if (counts.containers > 0) await manyContainers(engine);
} finally {
  await removeAll(engine).catch((error: unknown) => console.error(error));
  await engine.destroy();
  await Bun.sleep(500);
  processor.close();
}
