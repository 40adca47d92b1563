/**
 * Applications of several containers from compose files (`tests/apps`): each survives a restart of the engine, a machine
 * that went down, and the recreation of its services one after another. One of them runs always, the others where
 * BERTH_APPS=all asks for it, since their image alone takes minutes to make.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  berth,
  imageTar,
  mountsBelow,
  processesWith,
  run,
  startEngine,
  type TestEngine,
} from "../harness/engine.ts";

const plugins = ["/usr/local/lib", "/usr/lib", "/usr/libexec", "/usr/local/libexec"];
const hasCompose = plugins.some((folder) => existsSync(`${folder}/docker/cli-plugins/docker-compose`));
const wanted = process.env["BERTH_APPS"];
if (!hasCompose) console.log("SKIPPED apps: Docker Compose's plugin is not installed");
else if (!wanted) console.log("SKIPPED apps: they run with BERTH_APPS=web, queue, replicas or all");
const runs = (app: string): boolean => hasCompose && (wanted === app || wanted === "all");

const minutes = 60_000;
let engine: TestEngine;
beforeAll(async () => {
  if (!hasCompose || !wanted) return;
  engine = await startEngine({});
  const done = await engine.run([berth, "import", await imageTar("apps"), "apps:latest"], {
    timeoutMs: 5 * minutes,
  });
  if (done.code !== 0) throw new Error(done.stderr);
}, 20 * minutes);
afterAll(async () => {
  if (engine) await engine.destroy();
}, 2 * minutes);

class Application {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  async compose(...args: string[]): Promise<string> {
    const folder = resolve("tests/apps", this.name);
    const command = [berth, "compose", "--progress", "quiet", "--project-directory", folder, ...args];
    const env = ["env", "APP_PASSWORD=of-the-test"];
    const { code, stdout, stderr } = await engine.run([...env, ...command], { timeoutMs: 5 * minutes });
    if (code === 0) return stdout.trim();
    const ps = await engine.run([...env, ...command.slice(0, 6), "ps", "-a"]);
    throw new Error(`compose ${args.join(" ")} ended with ${code}: ${stderr}${stdout}\n${ps.stdout}`);
  }

  exec(service: string, ...command: string[]): Promise<string> {
    return this.compose("exec", "-T", service, ...command);
  }

  sql(service: string, statement: string): Promise<string> {
    return this.exec(service, "psql", "-h", "/tmp", "-U", "postgres", "-Atc", statement);
  }
}

/** Asks again until it is so: what follows a restart takes its time. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  let last: unknown;
  for (const limit = Date.now() + 3 * minutes; Date.now() < limit; await Bun.sleep(250)) {
    try {
      if (await holds()) return;
      last = "it is not so";
    } catch (error) {
      last = error;
    }
  }
  const ps = await engine.berth("ps", "-a", "--format", "{{.Names}} {{.Status}}");
  throw new Error(
    `${what}: ${last}\n${ps.stdout}\n${(await engine.log()).split("\n").slice(-15).join("\n")}`,
  );
}

/** All containers run, and those with a health check are healthy. */
const allWell = async (): Promise<boolean> => {
  const states = await engine.ok("ps", "--format", "{{.Status}}");
  return states.split("\n").every((state) => state.startsWith("Up") && !/starting|unhealthy/.test(state));
};

/** The machine goes down: no process, mount, interface or file of the run survives it. */
async function reboot(): Promise<void> {
  await engine.stop("SIGKILL");
  const containers = (await processesWith(engine.home)).filter((pid) => pid !== process.pid);
  for (const pid of containers) await run(["kill", "-9", String(pid)]);
  const gone = async (): Promise<boolean> => (await processesWith(engine.home)).length === 0;
  for (const limit = Date.now() + minutes; Date.now() < limit && !(await gone()); ) await Bun.sleep(50);
  for (const target of (await mountsBelow(engine.home)).reverse()) await run(["umount", "-l", target]);
  await rm(join(engine.home, "exec"), { recursive: true, force: true });
  await engine.run([
    "sh",
    "-c",
    "nft flush ruleset; for l in $(ip -o link | awk -F'[ :@]+' '$2 != \"lo\" {print $2}'); do ip link del $l; done",
  ]);
  await engine.start();
}

const startTimes = async (names: string[]): Promise<string[]> => {
  const told = await Promise.all(
    names.map((name) => engine.ok("inspect", "-f", "{{.State.StartedAt}}", name)),
  );
  return told;
};

/** What happens to every application; `works` says whether it still does its work with all its data. */
async function ordeal(app: Application, services: string[], works: () => Promise<void>): Promise<void> {
  await works();
  await engine.stop("SIGKILL");
  await engine.start();
  await until("all is well after a restart of the engine", allWell);
  await works();
  await reboot();
  await until("all is well after a reboot", allWell);
  await works();
  for (const service of services)
    await app.compose("up", "-d", "--wait", "--no-deps", "--force-recreate", service);
  await works();
  await app.compose("down", "-v");
  expect(await engine.ok("ps", "-aq")).toBe("");
  expect(await engine.ok("volume", "ls", "-q")).toBe("");
  const files = () => readdir(join(engine.home, "data/volumes"));
  await until("the files of the volumes are gone", async () => (await files()).length === 0);
}

describe.skipIf(!runs("web"))("a web server in front of an application with PostgreSQL and Redis", () => {
  const app = new Application("web");
  const ask = async (method: string): Promise<Record<string, number>> => {
    const url = "http://127.0.0.1:8080/";
    const { code, stdout, stderr } = await engine.run(["curl", "-sSf", "-m", "20", "-X", method, url]);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  };

  test(
    "keeps its visits through everything",
    async () => {
      await app.compose("up", "-d", "--wait");
      let visits = 0;
      await ordeal(app, ["cache", "db", "app", "proxy"], async () => {
        await until("a visit is counted", async () => (await ask("POST"))["hits"] !== undefined);
        const { rows = 0, hits } = await ask("GET");
        expect(rows).toBeGreaterThan(visits);
        expect(rows).toBe(hits ?? 0);
        visits = rows;
      });
    },
    20 * minutes,
  );
});

describe.skipIf(!runs("queue"))("a queue with workers", () => {
  const app = new Application("queue");

  test(
    "does every job once, whatever happens meanwhile",
    async () => {
      await app.compose("up", "-d", "--wait");
      let jobs = 0;
      await ordeal(app, ["queue", "db", "worker"], async () => {
        const numbers = Array.from({ length: 200 }, (_, n) => String(jobs + n));
        jobs += numbers.length;
        await app.exec("queue", "redis-cli", "LPUSH", "jobs", ...numbers);
        await until("all jobs are done", async () => {
          const left = await app.exec(
            "queue",
            "redis-cli",
            "EVAL",
            "return redis.call('llen','jobs') + redis.call('llen','doing')",
            "0",
          );
          return (
            left === "0" &&
            (await app.sql("db", "SELECT count(*) FROM squares WHERE square = n * n")) === String(jobs)
          );
        });
      });
    },
    20 * minutes,
  );
});

describe.skipIf(!runs("replicas"))("a database with replicas", () => {
  const app = new Application("replicas");

  test(
    "replicas have what the primary has, through everything",
    async () => {
      await app.compose("up", "-d", "--wait");
      await app.sql("primary", "CREATE TABLE kept (n int)");
      let rows = 0;
      await ordeal(app, ["replica1", "replica2", "primary"], async () => {
        rows++;
        await app.sql("primary", `INSERT INTO kept VALUES (${rows})`);
        for (const replica of ["replica1", "replica2"])
          await until(
            `${replica} follows`,
            async () => (await app.sql(replica, "SELECT count(*) FROM kept")) === String(rows),
          );
        const [primary = "", ...replicas] = await startTimes(["replicas-primary-1", "replicas-replica1-1"]);
        if (rows === 3) expect(replicas.every((started) => started > primary)).toBe(true);
      });
    },
    20 * minutes,
  );
});
