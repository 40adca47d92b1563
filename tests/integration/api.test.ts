/** The API through a real socket and a real engine: what the wire must hold against, and streams end to end. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { imageTar, startEngine, type TestEngine } from "../harness/engine.ts";
import { until } from "../harness/until.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
  const reply = await engine.api("/images/create?fromSrc=-&repo=busybox&changes=CMD%20%5B%22sh%22%5D", {
    method: "POST",
    body: Bun.file(await imageTar("busybox")),
  });
  if (!reply.ok) throw new Error(await reply.text());
}, 120_000);
afterAll(async () => {
  await engine.destroy();
}, 120_000);

/** One connection, by hand: sends pieces, then half closes, and gives all that came until the end. */
function raw(pieces: (string | number)[], limitMs = 40_000): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ path: engine.socket, allowHalfOpen: true }, async () => {
      for (const piece of pieces)
        if (typeof piece === "number") await Bun.sleep(piece);
        else socket.write(piece);
      socket.end();
    });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no end after ${JSON.stringify(text)}`)),
      limitMs,
    );
    socket.on("data", (data: Buffer) => {
      text += data.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("end", () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    });
  });
}

const post = (path: string, body?: unknown): Promise<Response> =>
  engine.api(path, {
    method: "POST",
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });

async function create(name: string, config: Record<string, unknown>): Promise<void> {
  const reply = await post(`/containers/create?name=${name}`, { Image: "busybox", ...config });
  if (reply.status !== 201) throw new Error(await reply.text());
}

const head = (path: string, headers: string): string => `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";

test("versions out of range, broken requests and unknown paths are refused and change nothing", async () => {
  expect((await engine.api("/v1.99/version")).status).toBe(400);
  expect(await (await engine.api("/v1.20/version")).text()).toContain("client version 1.20 is too old");
  expect(await raw(["nonsense\r\n\r\n"])).toStartWith("HTTP/1.1 400");
  expect(await raw([`GET /${"x".repeat(300_000)} HTTP/1.1\r\n\r\n`]).catch(() => "reset")).toMatch(
    /^(HTTP\/1.1 4|reset|$)/,
  );
  expect((await engine.api("/nosuch")).status).toBe(404);
  expect(await (await engine.api("/containers/json?all=1")).json()).toEqual([]);
});

test("a body in many shapes is refused with one sentence each", async () => {
  const send = async (body: string, type = "application/json") => {
    const reply = await engine.api("/containers/create", {
      method: "POST",
      body,
      headers: { "Content-Type": type },
    });
    return `${reply.status} ${((await reply.json()) as { message: string }).message}`;
  };
  expect(await send("{nope")).toBe(
    "400 invalid JSON: invalid character 'n' looking for beginning of object key string",
  );
  expect(await send('{"Image":5}')).toContain("400 invalid JSON: json: cannot unmarshal number");
  expect(await send('{"Image":"busybox"} x')).toBe("400 unexpected content after JSON");
  expect(await send("{}", "text/plain")).toContain("400 unsupported Content-Type");
  expect(await send(`{"Image":"${"x".repeat(9 << 20)}"}`)).toStartWith("413 ");
  expect(await send(`{"Labels":${"[".repeat(100_000)}`)).toStartWith("400 ");
});

test("a request that says more than it sends is let go when its client leaves", async () => {
  await raw([
    head("/containers/create", "Content-Type: application/json\r\nContent-Length: 1000\r\n"),
    '{"Image":',
    50,
  ]).catch(() => undefined);
  expect((await engine.api("/_ping")).ok).toBe(true);
});

test("a resize that comes with the answer to an exec's start waits for its process", async () => {
  await create("sized", { Cmd: ["sleep", "600"] });
  expect((await post("/containers/sized/start")).status).toBe(204);
  const streams = { AttachStdin: true, AttachStdout: true, Tty: true };
  const made = await post("/containers/sized/exec", { ...streams, Cmd: ["sh", "-c", "read x; stty size"] });
  const { Id } = (await made.json()) as { Id: string };
  const type = "Content-Type: application/json\r\nContent-Length: 12\r\n";
  let text = "";
  const socket = connect({ path: engine.socket }, () =>
    socket.write(`${head(`/exec/${Id}/start`, upgrade + type)}{"Tty":true}`),
  );
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const answered = new Promise<void>((resolve) => socket.once("data", () => resolve()));
  socket.on("data", (data: Buffer) => {
    text += data.toString("latin1");
  });
  await answered;
  expect((await post(`/exec/${Id}/resize?h=33&w=77`)).status).toBe(200);
  socket.write("go\n");
  await ended;
  expect(text).toStartWith("HTTP/1.1 101 UPGRADED\r\n");
  expect(text).toContain("33 77\r\n");
  await engine.api("/containers/sized?force=1", { method: "DELETE" });
}, 60_000);

test("an attached container reads until the half close and answers after it", async () => {
  await create("half", {
    Cmd: ["sh", "-c", "cat; echo done; echo err >&2"],
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const attached = raw([
    head("/containers/half/attach?stream=1&stdin=1&stdout=1&stderr=1", upgrade),
    300,
    "one\n",
    "two\n",
    100,
  ]);
  await Bun.sleep(100);
  expect((await post("/containers/half/start")).status).toBe(204);
  const text = await attached;
  expect(text).toStartWith("HTTP/1.1 101 UPGRADED\r\n");
  expect(text).toContain("application/vnd.docker.multiplexed-stream");
  const body = text.slice(text.indexOf("\r\n\r\n") + 4);
  expect(body).toContain("one\ntwo\n");
  expect(body).toContain("\u0001\0\0\0\0\0\0\u0005done\n");
  expect(body).toContain("\u0002\0\0\0\0\0\0\u0004err\n");
  expect((await post("/containers/half/wait")).status).toBe(200);
  await engine.api("/containers/half", { method: "DELETE" });
});

test("a client that leaves a follow, a wait and the events leaves nothing behind in the engine", async () => {
  await create("long", { Cmd: ["sh", "-c", "while sleep 0.05; do echo tick; done"] });
  await post("/containers/long/start");
  const open = async (): Promise<number> =>
    (
      await readFile(`/proc/${engine.pid}/status`, "utf8").then(() =>
        Array.fromAsync(new Bun.Glob("*").scan({ cwd: `/proc/${engine.pid}/fd`, onlyFiles: false })),
      )
    ).length;
  await Bun.sleep(200);
  const before = await open();
  for (let round = 0; round < 20; round++) {
    const controllers = [
      "/containers/long/logs?stdout=1&follow=1",
      "/events",
      "/containers/long/attach?stream=1&stdout=1",
    ].map((path) => {
      const controller = new AbortController();
      void engine
        .api(path, { signal: controller.signal, ...(path.includes("attach") ? { method: "POST" } : {}) })
        .then((reply) => reply.text())
        .catch(() => undefined); // aborted below
      return controller;
    });
    await Bun.sleep(20);
    for (const controller of controllers) controller.abort();
  }
  expect(await until(open, (now) => now <= before + 3)).toBeLessThanOrEqual(before + 3);
  const listeners = async (): Promise<number> =>
    ((await (await engine.api("/info")).json()) as { NEventsListener: number }).NEventsListener;
  expect(await until(listeners, (now) => now === 0)).toBe(0);
  await engine.api("/containers/long?force=1", { method: "DELETE" });
}, 120_000);

test("events of the past and the future come as lines, and the stream ends at until", async () => {
  const since = Date.now() / 1000 - 1;
  const events = async (until: number, signal?: AbortSignal): Promise<Response> =>
    engine.api(`/events?since=${since.toFixed(3)}&until=${until.toFixed(3)}&filters={"container":["ev"]}`, {
      ...(signal ? { signal } : {}),
    });
  const actions = (text: string): string[] =>
    [...text.matchAll(/^\{.*\}$/gm)].map(([line]) => (JSON.parse(line) as { Action: string }).Action);
  const leaving = new AbortController();
  const future = events(since + 3600, leaving.signal);
  await create("ev", { Cmd: ["true"] });
  await engine.api("/containers/ev", { method: "DELETE" });
  let told = "";
  const decoder = new TextDecoder();
  for await (const bytes of (await future).body ?? []) {
    told += decoder.decode(bytes, { stream: true });
    if (actions(told).length >= 2) break;
  }
  leaving.abort();
  expect(actions(told)).toEqual(["create", "destroy"]);
  const past = await (await events(Date.now() / 1000 + 1)).text();
  expect(actions(past)).toEqual(["create", "destroy"]);
}, 120_000);

test("an interrupted import leaves no image and no file", async () => {
  const controller = new AbortController();
  const endless = new ReadableStream<Uint8Array>({
    async pull(stream) {
      await Bun.sleep(10);
      stream.enqueue(new Uint8Array(65_536));
    },
  });
  const importing = engine.api("/images/create?fromSrc=-&repo=cut", {
    method: "POST",
    body: endless,
    signal: controller.signal,
  });
  await Bun.sleep(200);
  controller.abort();
  await importing.catch(() => undefined); // aborted
  await Bun.sleep(300);
  expect((await engine.api("/images/cut/json")).status).toBe(404);
  expect((await engine.api("/_ping")).ok).toBe(true);
});

test("SIGHUP reads the configuration again and tells it as an event", async () => {
  const since = Math.floor(Date.now() / 1000);
  process.kill(engine.pid, "SIGHUP");
  const events = async (): Promise<string> => {
    const now = (Date.now() / 1000).toFixed(3);
    return (await engine.api(`/events?since=${since}&until=${now}&filters={"type":["daemon"]}`)).text();
  };
  const reload = '"Action":"reload"';
  expect(await until(events, (text) => text.includes(reload))).toContain(reload);
}, 120_000);
