/**
 * Much at once: many containers, many bytes, clients that are slow or go away. BERTH_LOAD_MB sets the bytes through each
 * of attach, exec, logs and standard input (default 150).
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { call, demultiplex, footprint } from "../harness/api.ts";
import { berth, startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

const megabytes = Number(process.env["BERTH_LOAD_MB"] ?? 150);
/** random bytes that a container writes again and again */
const blobMb = 5;
const times = Math.ceil(megabytes / blobMb);
/** growth of the engine's memory that is still no leak: buffers, and what the collector has not taken yet */
const growthMb = 80;

let engine: TestEngine;
let blob: string;
let expectedMd5: string;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
  blob = join(engine.home, "blob");
  const bytes = new Uint8Array(blobMb << 20);
  for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  await writeFile(blob, bytes);
  const hash = new Bun.CryptoHasher("md5");
  for (let index = 0; index < times; index++) hash.update(bytes);
  expectedMd5 = hash.digest("hex");
}, 120_000);
afterAll(async () => {
  await engine.destroy();
}, 120_000);

const writeAll = `for i in $(seq ${times}); do cat /blob; done`;

/** Runs some work at most `breadth` at a time. */
async function each<T>(
  items: readonly T[],
  breadth: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: breadth }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}

/** The engine's memory may not grow by more than `growthMb` while the work runs; what the work gives is looked at first. */
async function bounded<T>(what: string, work: () => Promise<T>, check?: (result: T) => void): Promise<T> {
  const before = (await footprint(engine)).residentMb;
  let highest = before;
  let over = false;
  const watching = (async () => {
    while (!over) {
      highest = Math.max(highest, (await footprint(engine)).residentMb);
      await Bun.sleep(50);
    }
  })();
  const started = performance.now();
  const result = await work().finally(() => {
    over = true;
  });
  await watching;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const figures = `${what}: ${seconds} s, engine ${before.toFixed(0)} MB, at most ${highest.toFixed(0)} MB`;
  console.log(figures);
  check?.(result);
  if (highest - before >= growthMb)
    throw new Error(`the engine's memory grew by more than ${growthMb} MB (nothing was lost): ${figures}`);
  return result;
}

const whole = (md5: string): void => {
  if (md5 !== expectedMd5) throw new Error(`bytes were lost or changed: md5 ${md5}, expected ${expectedMd5}`);
};

/** The md5 of a command's output, which is never held whole; fails unless it succeeds. */
async function md5Of(args: string[]): Promise<string> {
  const child = Bun.spawn(engine.inNetwork([berth, ...args]), {
    env: { ...process.env, DOCKER_HOST: engine.host },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const hash = new Bun.CryptoHasher("md5");
  const said = new Response(child.stderr).text();
  for await (const chunk of child.stdout) hash.update(chunk);
  const code = await child.exited;
  if (code !== 0) throw new Error(`berth ${args.join(" ")} ended with ${code}: ${await said}`);
  return hash.digest("hex");
}

test("100 containers started at once have each its exit code and its output", async () => {
  const all = Array.from({ length: 100 }, (_, index) => `many${index}`);
  await each(all, 10, async (name) => {
    const script = `for i in $(seq 20); do echo ${name} $i; done; exit ${Number(name.slice(4)) % 50}`;
    const made = await call(engine, "POST", `/containers/create?name=${name}`, {
      Image: "busybox",
      Cmd: ["sh", "-c", script],
    });
    expect(made.status).toBe(201);
  });
  const started = performance.now();
  const answers = await Promise.all(all.map((name) => call(engine, "POST", `/containers/${name}/start`)));
  expect(answers.filter(({ status }) => status !== 204).map((answer) => answer.message())).toEqual([]);
  const codes = await Promise.all(
    all.map(async (name) => (await call(engine, "POST", `/containers/${name}/wait`)).json()["StatusCode"]),
  );
  console.log(`100 starts at once and their ends: ${(performance.now() - started).toFixed(0)} ms`);
  expect(codes).toEqual(all.map((_, index) => index % 50));
  for (const name of all) {
    const { body } = await call(engine, "GET", `/containers/${name}/logs?stdout=1`);
    const lines = Array.from({ length: 20 }, (_, index) => `${name} ${index + 1}\n`);
    expect(demultiplex(body).toString()).toBe(lines.join(""));
  }
  await each(all, 10, (name) => call(engine, "DELETE", `/containers/${name}`));
  expect(await engine.ok("ps", "-aq")).toBe("");
}, 180_000);

test("1,000 stopped containers are listed whole, and pruned", async () => {
  const all = Array.from({ length: 1000 }, (_, index) => `stopped${index}`);
  const started = performance.now();
  await bounded("1,000 creates", () =>
    each(all, 8, async (name) => {
      const made = await call(engine, "POST", `/containers/create?name=${name}`, { Image: "busybox" });
      expect(made.status).toBe(201);
    }),
  );
  const created = performance.now();
  const listed = await call(engine, "GET", "/containers/json?all=1");
  const took = performance.now() - created;
  const client = performance.now();
  const names = (await engine.ok("ps", "-a", "--format", "{{.Names}}")).split("\n");
  console.log(
    `create ${((created - started) / 1000).toFixed(2)} ms each; list ${took.toFixed(0)} ms; ps -a ${(performance.now() - client).toFixed(0)} ms`,
  );
  expect((JSON.parse(listed.body.toString()) as unknown[]).length).toBe(1000);
  expect(names.toSorted()).toEqual(all.toSorted());
  const pruned = (await call(engine, "POST", "/containers/prune", undefined, 120_000)).json();
  expect((pruned["ContainersDeleted"] as string[]).length).toBe(1000);
  expect(await engine.ok("ps", "-aq")).toBe("");
}, 180_000);

test(`${megabytes} MB arrive whole and in order through attach`, async () => {
  const args = [
    "run",
    "--rm",
    "--log-driver",
    "none",
    "-v",
    `${blob}:/blob:ro`,
    "busybox",
    "sh",
    "-c",
    writeAll,
  ];
  await bounded("attach", () => md5Of(args), whole);
}, 300_000);

test(`${megabytes} MB arrive whole and in order through exec`, async () => {
  await engine.ok("run", "-d", "--name", "execs", "-v", `${blob}:/blob:ro`, "busybox", "sleep", "1000");
  await bounded("exec", () => md5Of(["exec", "execs", "sh", "-c", writeAll]), whole);
  await engine.ok("rm", "-f", "execs");
}, 300_000);

test(`${megabytes} MB arrive whole and in order through logs, also while they are written`, async () => {
  const size = ["--log-opt", "max-size=100g"];
  await engine.ok(
    "run",
    "-d",
    "--name",
    "logs",
    ...size,
    "-v",
    `${blob}:/blob:ro`,
    "busybox",
    "sh",
    "-c",
    writeAll,
  );
  await bounded("logs -f", () => md5Of(["logs", "-f", "logs"]), whole);
  expect(await engine.ok("wait", "logs")).toBe("0");
  await bounded("logs", () => md5Of(["logs", "logs"]), whole);
  await engine.ok("rm", "logs");
}, 300_000);

test(`${megabytes} MB reach a process through its standard input`, async () => {
  const command = engine
    .inNetwork([berth, "run", "--rm", "-i", "busybox", "md5sum"])
    .map((word) => `'${word}'`);
  const script = `for i in $(seq ${times}); do cat ${blob}; done | ${command.join(" ")}`;
  const { code, stdout } = await bounded("stdin", () =>
    engine.run(["bash", "-c", script], { timeoutMs: 200_000 }),
  );
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${expectedMd5}  -\n` });
}, 300_000);

/** A raw client that asks for a stream, and from then on reads only when told. */
async function stalled(request: string, body = ""): Promise<Socket> {
  const socket = connect(engine.socket);
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  // the engine may end it at any time
  socket.on("error", () => socket.destroy());
  const head = `Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  socket.write(`${request} HTTP/1.1\r\n${head}\r\n\r\n${body}`);
  await new Promise((resolve) => socket.once("data", resolve));
  socket.pause();
  return socket;
}

async function execOf(name: string, command: string): Promise<string> {
  const body = { Cmd: ["sh", "-c", command], AttachStdout: true };
  return String((await call(engine, "POST", `/containers/${name}/exec`, body)).json()["Id"]);
}

test("clients that stop reading, and then go away, hold nothing but themselves", async () => {
  const before = (await footprint(engine)).descriptors;
  const finish = `echo go; ${writeAll}; exit 4`;
  const volume = ["--log-opt", "max-size=20m", "--log-opt", "max-file=2", "-v", `${blob}:/blob:ro`];
  await engine.ok("create", "--name", "stalls", ...volume, "busybox", "sh", "-c", finish);
  await engine.ok("run", "-d", "--name", "host", ...volume, "busybox", "sleep", "1000");
  await bounded("stalled clients", async () => {
    await engine.ok("start", "stalls");
    const execs = await Promise.all([1, 2, 3].map(() => execOf("host", finish)));
    const clients = await Promise.all([
      ...[1, 2, 3].map(() => stalled("POST /containers/stalls/attach?stream=1&stdout=1&logs=1")),
      ...[1, 2, 3].map(() => stalled("GET /containers/stalls/logs?stdout=1&follow=1")),
      ...execs.map((id) => stalled(`POST /exec/${id}/start`, "{}")),
      stalled("GET /events?since=1"),
    ]);
    await Bun.sleep(4000);
    // another client is served meanwhile
    expect(await engine.ok("exec", "host", "echo", "served")).toBe("served");
    for (const client of clients) client.destroy();
    const waited = await call(engine, "POST", "/containers/stalls/wait", undefined, 100_000);
    expect(waited.json()["StatusCode"]).toBe(4);
  });
  await engine.ok("rm", "-f", "stalls", "host");
  const held = async (): Promise<number> => (await footprint(engine)).descriptors;
  expect(await until(held, (now) => now <= before + 4)).toBeLessThanOrEqual(before + 4);
}, 180_000);

test("a slow reader gets everything, in its own time", async () => {
  const lines = 999_999;
  const length = [9, 90, 900, 9000, 90_000, 900_000].reduce(
    (sum, count, index) => sum + count * (index + 2),
    0,
  );
  const script = `seq ${lines}`;
  await engine.ok("create", "--name", "slow", "busybox", "sh", "-c", script);
  const child = Bun.spawn(engine.inNetwork([berth, "start", "-a", "slow"]), {
    env: { ...process.env, DOCKER_HOST: engine.host },
    stdout: "pipe",
    stderr: "inherit",
  });
  await Bun.sleep(3000);
  const text = await new Response(child.stdout).text();
  expect([text.length, text.slice(-7)]).toEqual([length, `${lines}\n`]);
  await engine.ok("rm", "slow");
}, 120_000);

test("start, stop and removal of one container at the same time end in one removal and documented answers", async () => {
  for (let round = 0; round < 20; round++) {
    const body = { Image: "busybox", Cmd: ["sleep", "100"], HostConfig: { NetworkMode: "none" } };
    expect((await call(engine, "POST", "/containers/create?name=contested", body)).status).toBe(201);
    if (round % 2) await call(engine, "POST", "/containers/contested/start");
    const ask = (method: string, path: string) => call(engine, method, `/containers/contested${path}`);
    const [starts, stops, restart, removals] = await Promise.all([
      Promise.all([ask("POST", "/start"), ask("POST", "/start")]),
      Promise.all([ask("POST", "/stop?t=0"), ask("POST", "/stop?t=0")]),
      ask("POST", "/restart?t=0"),
      Promise.all([ask("DELETE", "?force=1"), ask("DELETE", "?force=1"), ask("DELETE", "")]),
    ]);
    for (const { status } of [...starts, ...stops]) expect([204, 304, 404, 409]).toContain(status);
    // why a restart failed is told as 500, whatever it was
    expect([204, 404, 500]).toContain(restart.status);
    if (restart.status === 500) expect(restart.message()).toStartWith("Cannot restart container");
    expect(removals.filter(({ status }) => status === 204).length).toBe(1);
    for (const { status } of removals) expect([204, 404, 409]).toContain(status);
    expect((await ask("GET", "/json")).status).toBe(404);
  }
}, 120_000);
