/**
 * Networks at scale: does set-up time or the cost of a packet grow with what is there already?
 *
 *     bun scripts/bench/networks.ts [--networks 200] [--containers 500] [--ports 1000] [--pairs 40]
 *         [--rounds 20] [--connects 10000]
 *
 * Needs root, nft and dist/berth. Times are medians, of the time that passed and of the processor's (engine, conmon and
 * runtime; it is the one to look at on a busy machine). Throughput beside Docker's is in throughput.ts.
 */
import { readFileSync } from "node:fs";
import { startEngine, type TestEngine } from "../../tests/harness/engine.ts";
import { beside } from "./beside.ts";
import { ruleSteps } from "./rule-steps.ts";
import {
  bindings,
  type Cost,
  create,
  median,
  post,
  processor,
  quarter,
  removeAll,
  start,
  timed,
  told,
} from "./steps.ts";

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
  rounds: Number(option("rounds", "20")),
  connects: Number(option("connects", "10000")),
};

async function series(count: number, step: (index: number) => Promise<Cost>): Promise<string> {
  const costs: Cost[] = [];
  for (let index = 0; index < count; index++) costs.push(await step(index));
  const part = Math.max(1, Math.min(count > 2000 ? 500 : 50, count >> 2));
  return `first ${part}: ${told(median(costs.slice(0, part)))}, last ${part}: ${told(median(costs.slice(-part)))}`;
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

/** A running container joins and leaves, thousands of times: does it take longer in time? */
async function manyConnects(engine: TestEngine): Promise<void> {
  await engine.ok("network", "create", "often");
  await engine.ok("run", "-d", "--name", "probe", "busybox", "sleep", "100000");
  const seen = await series(counts.connects, async () => {
    const cost = await timed(() => post(engine, "/networks/often/connect", { Container: "probe" }));
    await post(engine, "/networks/often/disconnect", { Container: "probe" });
    return cost;
  });
  console.log(`${counts.connects} connects and disconnects, connect: ${seen}`);
  await removeAll(engine);
  await engine.ok("network", "rm", "often");
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
  const quarters = [seen.plain, seen.port].map((costs) => told(quarter(costs)));
  console.log(`the fastest quarter: within ${quarters[0]}; with one port: ${quarters[1]}`);
}

async function manyPorts(engine: TestEngine): Promise<void> {
  const serve = ["sh", "-c", "mkdir /w; exec httpd -f -h /w"];
  await engine.ok("run", "-d", "--name", "web", "-p", "9999:80", "busybox", ...serve);
  await Bun.sleep(500);
  await onePort(engine);
  const steps = await ruleSteps(engine, "10.99.99.1", 9999);
  const each = 50;
  const more = await series(Math.ceil(counts.ports / each), (index) =>
    start(engine, "bridge", bindings(10_000 + index * each, each)),
  );
  console.log(`${counts.ports} ports, start with ${each} more: ${more}`);
  const late = await series(10, (index) => start(engine, "bridge", bindings(21_000 + index, 1)));
  console.log(`start with one port, with those there: ${late}`);
  const stepsThen = await ruleSteps(engine, "10.99.99.1", 9999);
  console.log(`rules that a connection's first packet meets: ${steps} with few ports, ${stepsThen} with all`);
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
  if (counts.connects > 0) await manyConnects(engine);
  if (counts.rounds > 0) await beside(counts);
} finally {
  await removeAll(engine).catch((error: unknown) => console.error(error));
  await engine.destroy();
  await Bun.sleep(500);
  processor.close();
}
