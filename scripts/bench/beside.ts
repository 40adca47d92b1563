import { join } from "node:path";
import { startEngine, type TestEngine } from "../../tests/harness/engine.ts";
import type { RoundTrips } from "./round-trips.ts";
import {
  bindings,
  type Cost,
  create,
  median,
  middle,
  post,
  processor,
  removeAll,
  timed,
  told,
} from "./steps.ts";

const peer = join(import.meta.dir, "round-trips.ts");
const host = "10.99.99.1";
const port = 9100;
const portsEach = 50;

/** An engine with a container that answers on a published port, and what it has beside it. */
interface Side {
  name: string;
  engine: TestEngine;
  server: Bun.Subprocess;
  trips: RoundTrips[];
  starts: Cost[];
}

async function side(name: string, fill: (engine: TestEngine) => Promise<void>): Promise<Side> {
  const engine = await startEngine({ images: ["busybox"] });
  processor.follow(engine.pid);
  const published = ["-p", `${port}:${port}`, "-p", `${port}:${port}/udp`];
  await engine.ok("run", "-d", "--name", "serving", ...published, "busybox", "sleep", "100000");
  const pid = await engine.ok("inspect", "-f", "{{.State.Pid}}", "serving");
  const command = ["nsenter", `--net=/proc/${pid}/ns/net`, process.execPath, peer, "serve", String(port)];
  const server = Bun.spawn(command, { stdin: "ignore", stdout: "pipe" });
  await server.stdout.getReader().read();
  await fill(engine);
  return { name, engine, server, trips: [], starts: [] };
}

async function fillPorts(engine: TestEngine, count: number): Promise<void> {
  for (let first = 0; first < count; first += portsEach) {
    const id = await create(engine, "bridge", bindings(10_000 + first, Math.min(portsEach, count - first)));
    await post(engine, `/containers/${id}/start`);
  }
}

async function fillNetworks(engine: TestEngine, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await post(engine, "/networks/create", {
      Name: `n${index}`,
      IPAM: { Config: [{ Subnet: `10.200.${index}.0/24` }] },
    });
}

async function round(sides: readonly Side[], index: number): Promise<void> {
  for (const { engine, trips, starts } of index % 2 ? sides : sides.toReversed()) {
    const { stdout } = await engine.run([process.execPath, peer, "ask", host, String(port)]);
    trips.push(JSON.parse(stdout) as RoundTrips);
    const id = await create(engine, "bridge", bindings(20_000, 1));
    starts.push(await timed(() => post(engine, `/containers/${id}/start`)));
    await engine.api(`/containers/${id}?force=1`, { method: "DELETE" });
  }
}

/** Three engines side by side, asked in turn: do packets, and a start with a port, take longer beside many of a kind? */
export async function beside(counts: { rounds: number; ports: number; networks: number }): Promise<void> {
  const sides: Side[] = [];
  try {
    sides.push(await side("alone", async () => undefined));
    if (counts.ports > 0)
      sides.push(await side(`beside ${counts.ports} ports`, (engine) => fillPorts(engine, counts.ports)));
    if (counts.networks > 0)
      sides.push(
        await side(`beside ${counts.networks} networks`, (engine) => fillNetworks(engine, counts.networks)),
      );
    for (let index = 0; index < counts.rounds; index++) await round(sides, index);
    console.log(
      `medians of ${counts.rounds} rounds; microseconds through a published port, and a start with one`,
    );
    for (const { name, trips, starts } of sides) {
      const of = (key: keyof RoundTrips): string => middle(trips.map((trip) => trip[key])).toFixed(0);
      const packets = `connect ${of("connect")}, first of UDP ${of("firstUdp")}, later ${of("laterUdp")}`;
      console.log(`${name}: ${packets}; start ${told(median(starts))}`);
    }
  } finally {
    for (const { engine, server } of sides) {
      server.kill("SIGKILL");
      await removeAll(engine).catch((error: unknown) => console.error(error));
      await engine.destroy();
    }
  }
}
