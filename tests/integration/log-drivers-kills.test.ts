/** Log drivers across kills of the engine and outages of their services: every line arrives, in order. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestEngine } from "../harness/engine.ts";
import {
  countedIn,
  counter,
  endLogEngine,
  journal,
  type LogServer,
  options,
  serveLogs,
  startLogEngine,
  until,
} from "../harness/log-server.ts";

setDefaultTimeout(120_000);

let engine: TestEngine;
const serve = (kind: string, where: string, file?: string): Promise<LogServer> =>
  serveLogs(engine, kind, where, file);

beforeAll(async () => {
  engine = await startLogEngine();
});

afterAll(() => endLogEngine(engine));

let serial = 0;

/** A container counts with each driver; `disturb` happens meanwhile; all must arrive, and none before one it follows. */
const counting: { driver: string; kind: string; where: string; opts: Record<string, string> }[] = [
  { driver: "syslog", kind: "tcp", where: "5143", opts: { "syslog-address": "tcp://127.0.0.1:5143" } },
  {
    driver: "gelf",
    kind: "tcp",
    where: "12203",
    opts: { "gelf-address": "tcp://127.0.0.1:12203", mode: "non-blocking", "max-buffer-size": "4k" },
  },
  {
    driver: "fluentd",
    kind: "fluentd-ack",
    where: "24225",
    opts: { "fluentd-address": "127.0.0.1:24225", "fluentd-request-ack": "true" },
  },
  { driver: "fluentd", kind: "tcp", where: "24226", opts: { "fluentd-address": "127.0.0.1:24226" } },
  { driver: "journald", kind: "datagram", where: journal, opts: { mode: "non-blocking" } },
];

async function countThrough(disturb: (servers: Servers) => Promise<void>): Promise<void> {
  const last = 799;
  const all: Servers = [];
  for (const [index, { driver, kind, where, opts }] of counting.entries()) {
    const file = join(engine.home, `counting-${serial++}`);
    const begin = () => serve(kind, where, file);
    all.push({ kind, begin, server: await begin() });
    await engine.ok(
      ...["run", "-d", "--name", `count${index}`, "--log-driver", driver, ...options(opts)],
      ...["busybox", "sh", "-c", counter(last + 1, "usleep 4000;")],
    );
  }
  for (const { server } of all) await until(server, (text) => countedIn(text).size > 50);
  await disturb(all);
  for (const [index, { server }] of all.entries()) {
    const text = await until(server, (told) => countedIn(told).has(last));
    // in a set each number stays where it came first
    expect([counting[index]?.driver, ...countedIn(text)]).toEqual([
      counting[index]?.driver,
      ...Array.from({ length: last + 1 }, (_, number) => number),
    ]);
    // before its service goes: else the last second would be told again, to the next test's
    await engine.ok("rm", "-f", `count${index}`);
    await server.stop();
  }
  await rm(journal, { force: true });
}
type Servers = { kind: string; begin: () => Promise<LogServer>; server: LogServer }[];

test("with every driver an engine that is killed in the middle goes on where it was, in order", () =>
  countThrough(async () => {
    for (let kill = 0; kill < 3; kill++) {
      await engine.stop("SIGKILL");
      await Bun.sleep(200);
      await engine.start();
      await Bun.sleep(200);
    }
  }));

test("with every driver a service that is away, also while the engine is killed, misses nothing", () =>
  countThrough(async (all) => {
    // what a datagram socket held is gone with its reader, which systemd keeps from happening to journald's
    const streams = all.filter(({ kind }) => kind !== "datagram");
    const failures = async (): Promise<number> =>
      (await readFile(join(engine.home, "engine.log"), "latin1")).split("the log driver cannot deliver")
        .length;
    const before = await failures();
    for (const { server } of streams) await server.stop();
    while ((await failures()) < before + streams.length) await Bun.sleep(50);
    await engine.stop("SIGKILL");
    await engine.start();
    for (const each of streams) each.server = await each.begin();
  }));
