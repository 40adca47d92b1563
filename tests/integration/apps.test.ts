/**
 * Applications of several containers from compose files (`tests/apps`), side by side on one engine: each survives
 * restarts of the engine, a machine that went down, and the recreation of its services one after another.
 * BERTH_APPS=web,queue,replicas chooses among them, BERTH_APPS=none leaves them out: their image takes minutes to make.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
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
const wanted = (process.env["BERTH_APPS"] ?? "web,queue,replicas").split(",");
if (!hasCompose) console.log("SKIPPED apps: Docker Compose's plugin is not installed");

const minutes = 60_000;
let engine: TestEngine;
beforeAll(async () => {
  if (!hasCompose) return;
  engine = await startEngine({});
  const done = await engine.run([berth, "import", await imageTar("apps"), "apps:latest"], {
    timeoutMs: 5 * minutes,
  });
  if (done.code !== 0) throw new Error(done.stderr);
}, 20 * minutes);
afterAll(async () => {
  if (engine) await engine.destroy();
}, 2 * minutes);

/** A compose project, and what it is for: `works` says whether it still does its work with all its data. */
abstract class Application {
  abstract readonly name: string;
  /** those to recreate, in order */
  abstract readonly services: readonly string[];
  abstract works(): Promise<void>;

  async compose(...args: string[]): Promise<string> {
    const folder = resolve("tests/apps", this.name);
    const command = [berth, "compose", "--progress", "quiet", "--project-directory", folder];
    const env = ["env", "APP_PASSWORD=of-the-test"];
    const options = { timeoutMs: 5 * minutes };
    const { code, stdout, stderr } = await engine.run([...env, ...command, ...args], options);
    if (code === 0) return stdout.trim();
    const ps = await engine.run([...env, ...command, "ps", "-a"]);
    const logs = await engine.run([...env, ...command, "logs", "--tail", "10"]);
    const story = `${stderr}${stdout}\n${ps.stdout}\n${logs.stdout}`;
    throw new Error(`compose ${args.join(" ")} of ${this.name} ended with ${code}: ${story}`);
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

/** A web server in front of an application with PostgreSQL and Redis: no visit is forgotten. */
class Web extends Application {
  readonly name = "web";
  readonly services = ["cache", "db", "app", "proxy"];
  private visits = 0;

  async works(): Promise<void> {
    await until("a visit is counted", async () => (await this.ask("POST"))["hits"] !== undefined);
    const { rows = 0, hits } = await this.ask("GET");
    expect(rows).toBeGreaterThan(this.visits);
    expect(rows).toBe(hits ?? 0);
    this.visits = rows;
  }

  private async ask(method: string): Promise<Record<string, number>> {
    const url = "http://127.0.0.1:8080/";
    const { code, stdout, stderr } = await engine.run(["curl", "-sSf", "-m", "20", "-X", method, url]);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }
}

/** A queue with workers: every job is done once, whatever happens meanwhile. */
class Queue extends Application {
  readonly name = "queue";
  readonly services = ["queue", "db", "worker"];
  private jobs = 0;

  async works(): Promise<void> {
    const numbers = Array.from({ length: 80 }, (_, n) => String(this.jobs + n));
    this.jobs += numbers.length;
    await this.exec("queue", "redis-cli", "LPUSH", "jobs", ...numbers);
    const waiting = "return redis.call('llen','jobs') + redis.call('llen','doing')";
    await until("all jobs are done", async () => {
      const left = await this.exec("queue", "redis-cli", "EVAL", waiting, "0");
      const right = await this.sql("db", "SELECT count(*) FROM squares WHERE square = n * n");
      return left === "0" && right === String(this.jobs);
    });
  }
}

/** A database with replicas, which have what the primary has. */
class Replicas extends Application {
  readonly name = "replicas";
  readonly services = ["replica1", "replica2", "primary"];
  private rows = 0;

  async works(): Promise<void> {
    await this.sql("primary", "CREATE TABLE IF NOT EXISTS kept (n int)");
    this.rows++;
    await this.sql("primary", `INSERT INTO kept VALUES (${this.rows})`);
    for (const replica of ["replica1", "replica2"])
      await until(
        `${replica} follows`,
        async () => (await this.sql(replica, "SELECT count(*) FROM kept")) === String(this.rows),
      );
  }
}

const apps = [new Web(), new Queue(), new Replicas()].filter(({ name }) => wanted.includes(name));
const each = (act: (app: Application) => Promise<unknown>): Promise<unknown> => Promise.all(apps.map(act));
const work = (): Promise<unknown> => each((app) => app.works());

test.skipIf(!hasCompose || apps.length === 0)(
  "applications keep all their data through restarts of engine and machine, and recreation",
  async () => {
    await each((app) => app.compose("up", "-d", "--wait"));
    await work();
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      await engine.stop(signal);
      await engine.start();
      await until("all is well after a restart of the engine", allWell);
    }
    await work();
    await reboot();
    await until("all is well after a reboot", allWell);
    await work();
    if (wanted.includes("replicas")) {
      const [primary = "", replica = ""] = await startTimes(["replicas-primary-1", "replicas-replica1-1"]);
      expect(replica > primary).toBe(true);
    }
    await each(async (app) => {
      for (const service of app.services)
        await app.compose("up", "-d", "--wait", "--no-deps", "--force-recreate", service);
    });
    await work();
    if (wanted.includes("queue"))
      await apps.find(({ name }) => name === "queue")?.compose("scale", "worker=1");
    await work();
    await each((app) => app.compose("down", "-v"));
    expect(await engine.ok("ps", "-aq")).toBe("");
    expect(await engine.ok("volume", "ls", "-q")).toBe("");
    const files = () => readdir(join(engine.home, "data/volumes"));
    await until("the files of the volumes are gone", async () => (await files()).length === 0);
  },
  20 * minutes,
);
