/**
 * Containers against a model of their documented states: a client for each name does random operations and checks every
 * answer and the state that follows, while the engine is killed again and again; then several clients contend for the
 * same names. BERTH_MODEL_SECONDS sets how long (default 30); BERTH_MODEL_SEED repeats a run's choices.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { call, demultiplex, EngineGone, footprint } from "../harness/api.ts";
import { startEngine, type TestEngine } from "../harness/engine.ts";
import {
  afterRestart,
  expected,
  type Kind,
  kinds,
  type Operation,
  operations,
  type State,
} from "../harness/model.ts";
import { Random } from "../harness/random.ts";
import { until as untilRight } from "../harness/until.ts";

const seconds = Number(process.env["BERTH_MODEL_SECONDS"] ?? 30);
const seed = Number(process.env["BERTH_MODEL_SEED"] ?? Date.now() % 1_000_000);
const names = 12;

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(async () => {
  await engine.destroy();
}, 120_000);

/** Whether an engine answers: resolved while one does. */
let up = Promise.withResolvers<void>();
up.resolve();
/** how many engines there were before this one */
let lives = 0;
let done = 0;

const paths: Record<Exclude<Operation, "create" | "exec">, [string, (name: string) => string]> = {
  start: ["POST", (name) => `/containers/${name}/start`],
  stop: ["POST", (name) => `/containers/${name}/stop?t=0`],
  kill: ["POST", (name) => `/containers/${name}/kill`],
  hangup: ["POST", (name) => `/containers/${name}/kill?signal=HUP`],
  pause: ["POST", (name) => `/containers/${name}/pause`],
  unpause: ["POST", (name) => `/containers/${name}/unpause`],
  restart: ["POST", (name) => `/containers/${name}/restart?t=0`],
  remove: ["DELETE", (name) => `/containers/${name}`],
  removeForced: ["DELETE", (name) => `/containers/${name}?force=1`],
};

const bodyOf = (kind: Kind): object => ({
  Image: "busybox",
  Cmd: ["sh", "-c", kinds[kind].command],
  StopSignal: "SIGTERM",
  HostConfig: {
    RestartPolicy: { Name: kinds[kind].policy },
    // most need no network; those that have one prove that it comes and goes with them
    NetworkMode: kind === "polite" ? "bridge" : "none",
  },
});

function send(operation: Operation, name: string, kind: Kind) {
  done++;
  if (operation === "create") return call(engine, "POST", `/containers/create?name=${name}`, bodyOf(kind));
  if (operation === "exec") {
    const body = { Cmd: ["echo", "inside"], AttachStdout: true };
    return call(engine, "POST", `/containers/${name}/exec`, body);
  }
  const [method, path] = paths[operation];
  return call(engine, method, path(name));
}

/** One name and its client. */
class Actor {
  private readonly random: Random;
  private readonly aliases: [string, string];
  private name: string;
  private kind: Kind;
  private state: State = "absent";
  /** runs of a `quick` container that were acknowledged; undefined once a kill left it unknown */
  private runs: number | undefined = 0;
  private seen = 0;
  private readonly history: string[] = [];
  private waiting: Promise<number | undefined> | undefined;

  constructor(index: number) {
    this.random = new Random(seed * 100 + index);
    this.aliases = [`m${index}`, `m${index}-other`];
    this.name = this.aliases[0];
    this.kind = this.random.pick(Object.keys(kinds) as Kind[]);
  }

  async live(until: number): Promise<void> {
    try {
      while (Date.now() < until) await this.step();
      await this.settled(async () => {
        await this.verify();
        await this.act("removeForced");
      });
    } catch (error) {
      const found = await call(engine, "GET", `/containers/${this.name}/json`).catch(() => undefined); // only told
      const history = this.history.slice(-12).join(", ");
      throw new Error(
        `${this.name} (${this.kind}, ${this.state}) after ${history}: ${JSON.stringify(found?.json()["State"])}`,
        { cause: error },
      );
    }
  }

  private async step(): Promise<void> {
    const choice = this.random.below(100);
    await this.settled(async () => {
      if (choice < 70) await this.act(this.likely());
      else if (choice < 78) await this.rename();
      else if (choice < 84) await this.beginWait();
      else if (choice < 92) await this.logs();
      await this.verify();
    });
  }

  /** Mostly what leads somewhere, so that containers live long enough to be interesting. */
  private likely(): Operation {
    if (this.state === "absent" && this.random.below(10) > 0) return "create";
    if (this.state === "created" && this.random.below(3) > 0) return "start";
    return this.random.pick(operations);
  }

  /** Runs a piece of work; where the engine dies in it, waits for the next and takes what it finds. */
  private async settled(work: () => Promise<void>): Promise<void> {
    await up.promise;
    if (this.seen !== lives) this.reborn();
    this.possible = [this.state];
    try {
      await work();
    } catch (error) {
      if (!(error instanceof EngineGone)) throw error;
      this.history.push("KILL");
      await this.recover();
    }
  }

  private possible: State[] = [];

  private reborn(): void {
    this.seen = lives;
    this.state = afterRestart(this.kind, this.state);
    this.waiting = undefined;
  }

  /** Finds out what became of an operation that was cut short; only what it could lead to is accepted. */
  private async recover(): Promise<void> {
    for (;;) {
      await Bun.sleep(20);
      await up.promise;
      try {
        const found = await this.findState();
        const allowed = new Set([
          ...this.possible,
          ...this.possible.map((state) => afterRestart(this.kind, state)),
        ]);
        this.seen = lives;
        this.waiting = undefined;
        expect([...allowed]).toContain(found);
        this.state = found;
        return;
      } catch (error) {
        if (!(error instanceof EngineGone)) throw error;
      }
    }
  }

  private async findState(): Promise<State> {
    for (const name of this.aliases) {
      const status = await this.statusOf(name);
      if (status === undefined) continue;
      this.name = name;
      if (this.kind === "quick" && status === "running") {
        expect(await this.waitFor()).toBe(5);
        return "exited";
      }
      return status === "restarting" ? "running" : (status as State);
    }
    return "absent";
  }

  /** A start that was cut short is made up for by the container's policy: until then it is told as restarting. */
  private async statusOf(name: string): Promise<string | undefined> {
    for (let tries = 0; ; tries++) {
      const answer = await call(engine, "GET", `/containers/${name}/json`);
      if (answer.status === 404) return undefined;
      const { Status } = answer.json()["State"] as { Status: string };
      if (Status !== "restarting" || this.kind === "crasher" || tries > 400) return Status;
      await Bun.sleep(50);
    }
  }

  private async waitFor(): Promise<number> {
    const answer = await call(engine, "POST", `/containers/${this.name}/wait`);
    return Number(answer.json()["StatusCode"]);
  }

  private async act(operation: Operation): Promise<void> {
    this.history.push(operation);
    const { answers, between } = expected(operation, this.kind, this.state);
    const quickRun = this.kind === "quick" && (operation === "start" || operation === "restart");
    const lands = (state: State): State => (this.kind === "quick" && state === "running" ? "exited" : state);
    this.possible = [this.state, ...between.map(lands), ...[...answers.values()].map(lands)];
    const runs = this.runs;
    if (quickRun) this.runs = undefined;
    if (operation === "create" && this.state === "absent") this.runs = 0;
    const answer = await send(operation, this.name, this.kind);
    const next = answers.get(answer.status);
    if (next === undefined)
      throw new Error(`${operation} of one ${this.state} answered ${answer.status} ${answer.message()}`);
    this.possible = [lands(next)];
    if (quickRun) this.runs = answer.status === 204 && runs !== undefined ? runs + 1 : runs;
    const before = this.state;
    this.state = next;
    if (this.kind === "quick" && next === "running") {
      expect(await this.waitFor()).toBe(5);
      this.state = "exited";
    }
    if (operation === "exec" && answer.status === 201) await this.enter(String(answer.json()["Id"]));
    if (next === "absent" || next === "exited" || before !== next) await this.endWait();
    if (operation === "removeForced" || operation === "remove") if (next === "absent") this.renew();
  }

  /** A new container of this name may be of another kind. */
  private renew(): void {
    this.kind = this.random.pick(Object.keys(kinds) as Kind[]);
    this.runs = 0;
  }

  private async enter(exec: string): Promise<void> {
    const answer = await call(engine, "POST", `/exec/${exec}/start`, { Detach: false, Tty: false });
    if (this.kind === "crasher") return; // it may end under the exec
    // a stream that a killed engine left ends like one that is over: only its next answer tells them apart
    await call(engine, "GET", "/_ping");
    if (this.seen !== lives) throw new EngineGone("in an exec");
    expect([answer.status, demultiplex(answer.body).toString()]).toEqual([200, "inside\n"]);
    const inspected = (await call(engine, "GET", `/exec/${exec}/json`)).json();
    expect([inspected["Running"], inspected["ExitCode"]]).toEqual([false, 0]);
  }

  /** A wait of its own connection, which the end of the container must answer. */
  private async beginWait(): Promise<void> {
    this.history.push("wait");
    if (this.state === "absent") {
      expect((await call(engine, "POST", `/containers/${this.name}/wait`)).status).toBe(404);
      return;
    }
    if (this.state === "exited") {
      expect(kinds[this.kind].codes).toContain(await this.waitFor());
      return;
    }
    if (this.state === "created" || this.waiting || this.kind === "crasher") return;
    this.waiting = this.waitFor().catch((error: unknown) => {
      if (error instanceof EngineGone) return undefined;
      throw error;
    });
    // its end is looked at in `endWait`; until then it is nobody's
    this.waiting.catch(() => undefined);
  }

  private async endWait(): Promise<void> {
    const ended = this.state === "absent" || this.state === "exited";
    if (!this.waiting || !ended) {
      // a restart ends what was waited for as well
      if (this.waiting && this.history.at(-1) === "restart") this.waiting = undefined;
      return;
    }
    const code = await this.waiting;
    this.waiting = undefined;
    if (code !== undefined) expect(kinds[this.kind].codes).toContain(code);
  }

  private async rename(): Promise<void> {
    this.history.push("rename");
    const [first, second] = this.aliases;
    const other = this.name === first ? second : first;
    const answer = await call(engine, "POST", `/containers/${this.name}/rename?name=${other}`);
    expect(answer.status).toBe(this.state === "absent" ? 404 : 204);
    if (this.state !== "absent") this.name = other;
    const same = await call(engine, "POST", `/containers/${this.name}/rename?name=${this.name}`);
    expect(same.status).toBe(this.state === "absent" ? 404 : 400);
  }

  private async logs(): Promise<void> {
    const answer = await call(engine, "GET", `/containers/${this.name}/logs?stdout=1&stderr=1`);
    if (this.state === "absent") return expect(answer.status).toBe(404);
    expect(answer.status).toBe(200);
    if (this.kind === "quick" && this.runs !== undefined)
      expect(demultiplex(answer.body).toString()).toBe("said\n".repeat(this.runs));
  }

  /** What inspect and list tell is the model's state, and a process is there exactly when they say so. */
  private async verify(): Promise<void> {
    const answer = await call(engine, "GET", `/containers/${this.name}/json`);
    if (this.state === "absent") return expect(answer.status).toBe(404);
    expect(answer.status).toBe(200);
    const told = answer.json()["State"] as {
      Status: string;
      ExitCode: number;
      Pid: number;
      Running: boolean;
    };
    const up = this.kind === "crasher" && (this.state === "running" || this.state === "paused");
    const allowed = up ? ["running", "restarting", this.state] : [this.state];
    expect(allowed).toContain(told.Status);
    if (up && told.Status !== "paused") this.state = "running";
    expect(told.Running).toBe(this.state === "running" || this.state === "paused");
    if (this.state === "exited") expect(kinds[this.kind].codes).toContain(told.ExitCode);
    if (told.Status !== "restarting") expect(told.Pid > 0).toBe(told.Running);
    if (told.Pid > 0 && this.kind !== "crasher") expect(existsSync(`/proc/${told.Pid}`)).toBe(true);
    if (this.random.below(4) > 0) return;
    const filters = encodeURIComponent(JSON.stringify({ name: [`^/${this.name}$`] }));
    const listed = await call(engine, "GET", `/containers/json?all=1&filters=${filters}`);
    const [entry] = JSON.parse(listed.body.toString()) as { State: string }[];
    expect(allowed).toContain(entry?.State ?? "absent");
  }
}

test(
  `${seconds} s of random operations follow the model, with engine kills in between (seed ${seed})`,
  async () => {
    console.log(`model seed ${seed}`);
    const until = Date.now() + seconds * 1000;
    const random = new Random(seed);
    const clients = Promise.all(Array.from({ length: names }, (_, index) => new Actor(index).live(until)));
    let failed = false;
    clients.catch(() => {
      failed = true;
    });
    while (!failed && Date.now() < until - 3000) {
      await Bun.sleep(1500 + random.below(3500));
      if (failed) break;
      up = Promise.withResolvers<void>();
      lives++;
      await engine.stop("SIGKILL");
      await Bun.sleep(random.below(500));
      await engine.start();
      up.resolve();
    }
    await clients.catch(async (error: unknown) => {
      console.log((await engine.log()).slice(-4000));
      throw error;
    });
    console.log(`${done} operations, ${lives} kills`);
  },
  (seconds + 120) * 1000,
);

/** What any operation may answer when others work on the same container at the same time. */
const contended = [200, 201, 204, 304, 404, 409];

/** A round of clients that contend for few names; every unexpected answer. */
async function contend(round: number, until: number): Promise<string[]> {
  const wrong: string[] = [];
  const client = async (index: number): Promise<void> => {
    const random = new Random(seed * 1000 + round * 10 + index);
    while (Date.now() < until) {
      const name = `c${random.below(3)}`;
      const operation = random.below(4) === 0 ? "create" : random.pick(operations);
      const kind = random.pick(["sleeper", "polite", "quick", "crasher"] as const);
      const answer = await send(operation, name, kind);
      const fine =
        contended.includes(answer.status) ||
        (operation === "restart" && answer.message().startsWith("Cannot restart container")) ||
        (operation === "unpause" && answer.message().endsWith("is not paused"));
      if (!fine) wrong.push(`${operation}: ${answer.status} ${answer.message()}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, index) => client(index)));
  return wrong;
}

test(
  "clients that contend for the same containers get documented answers and never a wrong state; nothing is leaked",
  async () => {
    const roundMs = Math.max(2000, (seconds * 1000) / 8);
    await contend(0, Date.now() + roundMs);
    const before = await settledFootprint();
    const wrong = await contend(1, Date.now() + roundMs);
    // the last quick ones come to their end
    await Bun.sleep(1500); // what an end is told by is looked at below, whenever it comes
    for (let index = 0; index < 3; index++) await consistent(`c${index}`);
    const after = await settledFootprint();
    console.log(
      `${done} operations; engine before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`,
    );
    expect(wrong).toEqual([]);
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 8);
    expect(after.residentMb).toBeLessThan(before.residentMb + 100);
    await engine.stop("SIGTERM");
    expect(
      await untilRight(
        () => engine.leftovers(),
        (all) => all.length === 0,
      ),
    ).toEqual([]);
    await engine.start();
  },
  (seconds + 120) * 1000,
);

/** Once all is still, what is told and what is there agree. */
async function consistent(name: string): Promise<void> {
  const answer = await call(engine, "GET", `/containers/${name}/json`);
  if (answer.status === 404) return;
  const body = answer.json();
  const { Status, Pid } = body["State"] as { Status: string; Pid: number };
  expect(["created", "running", "paused", "exited", "restarting"]).toContain(Status);
  if (Status === "running" || Status === "paused") {
    expect(Pid).toBeGreaterThan(0);
    const policy = (body["HostConfig"] as { RestartPolicy: { Name: string } }).RestartPolicy.Name;
    if (policy === "no") expect(existsSync(`/proc/${Pid}`)).toBe(true);
  }
  if (Status === "exited" || Status === "created") expect(Pid).toBe(0);
}

/** Removes every container, and measures the engine when all its work has come to rest. */
async function settledFootprint(): Promise<{ descriptors: number; residentMb: number }> {
  const listed = await call(engine, "GET", "/containers/json?all=1");
  const ids = (JSON.parse(listed.body.toString()) as { Id: string }[]).map(({ Id }) => Id);
  for (const id of ids)
    expect([204, 404]).toContain((await call(engine, "DELETE", `/containers/${id}?force=1`)).status);
  await Bun.sleep(2000);
  return footprint(engine);
}
