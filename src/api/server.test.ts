import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Session } from "../containers/contract.ts";
import { EngineError, messageOf } from "../lib/errors.ts";
import { openFilesMax } from "../system/process/limits.ts";
import { Router } from "./router.ts";
import { routes } from "./routes/table.ts";
import { ApiServer, connectionsMax } from "./server.ts";
import { fakeEngine } from "./testing/fake-engine.ts";

/** A process that repeats what it is told, says "end" at the end of its input, and ends. */
class Echo implements Session {
  readonly terminal = false;
  readonly output: ReadableStream<Uint8Array>;
  /** does not end with its input */
  deaf = false;
  closed = false;
  cancelled = false;
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor() {
    this.output = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.controller = controller;
      },
      cancel: () => {
        this.cancelled = true;
      },
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.controller?.enqueue(Buffer.from(bytes));
  }

  async closeStdin(): Promise<void> {
    if (this.deaf) return;
    this.controller?.enqueue(Buffer.from("end"));
    this.controller?.close();
  }

  close(): void {
    this.closed = true;
  }
}

let home: string;
let server: ApiServer;
let echo: Echo;
let gate: PromiseWithResolvers<unknown>;
let pauses = 0;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "berth-api-"));
  echo = new Echo();
  gate = Promise.withResolvers();
  pauses = 0;
  const engine = fakeEngine({
    containers: {
      attach: async (id: string) => {
        if (id === "none") throw new EngineError("notFound", "No such container: none");
        return echo;
      },
      wait: () => ({ done: gate.promise }),
      exec: {
        create: async () => ({ Id: "e1" }),
        start: async () => Object.assign(echo, { exitCode: () => 7 }),
      },
      pause: async () => {
        pauses++;
        throw new TypeError("a bug");
      },
    },
  });
  server = new ApiServer(engine, new Router(routes));
  await server.listen({ kind: "unix", path: join(home, "sock") });
});
afterEach(async () => {
  await server.close();
  rmSync(home, { recursive: true });
});

class Client {
  readonly socket: Socket;
  private text = "";
  private ended = false;

  constructor(bytes: string) {
    this.socket = connect({ path: join(home, "sock"), allowHalfOpen: true });
    this.socket.on("data", (data: Buffer) => {
      this.text += data.toString("latin1");
    });
    this.socket.on("end", () => {
      this.ended = true;
    });
    this.socket.on("error", () => {
      this.ended = true;
    });
    this.socket.write(bytes);
  }

  /** Waits until what came holds `part`. */
  async until(part: string): Promise<string> {
    for (let tries = 0; tries < 6000; tries++) {
      if (this.text.includes(part)) return this.text;
      await Bun.sleep(5);
    }
    throw new Error(`no ${JSON.stringify(part)} in ${JSON.stringify(this.text)}`);
  }

  async untilEnd(): Promise<string> {
    for (let tries = 0; tries < 6000 && !this.ended; tries++) await Bun.sleep(5);
    if (!this.ended) throw new Error(`no end after ${JSON.stringify(this.text)}`);
    this.socket.destroy();
    return this.text;
  }
}

const upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
const post = (path: string, headers = ""): string => `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

async function settled(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 6000 && !condition(); tries++) await Bun.sleep(5);
  expect(condition()).toBe(true);
}

test("the socket is for its owner and group alone", () => {
  expect(statSync(join(home, "sock")).mode & 0o777).toBe(0o660);
});

test("a socket that another engine answers on is not taken, a stale one is", async () => {
  const other = new ApiServer(fakeEngine(), new Router(routes));
  const error = await other
    .listen({ kind: "unix", path: join(home, "sock") })
    .catch((thrown: unknown) => thrown);
  expect(messageOf(error)).toContain("another engine answers on");
  expect(await new Client("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n").until("OK")).toContain("200 OK");
});

test("every reply has Docker's headers", async () => {
  const reply = await new Client("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n").until("\r\n\r\nOK");
  for (const header of [
    "Api-Version: 1.51",
    "Docker-Experimental: false",
    "Ostype: linux",
    "Server: Docker/28.5.2+berth.test (linux)",
    "Builder-Version: 2",
    "Swarm: inactive",
  ])
    expect(reply).toContain(`${header}\r\n`);
});

test("an upgraded attach goes both ways, and output goes on after the client's half close", async () => {
  const client = new Client(post("/containers/x/attach?stream=1&stdin=1&stdout=1", upgrade));
  const head = await client.until("\r\n\r\n");
  expect(head).toStartWith("HTTP/1.1 101 UPGRADED\r\n");
  expect(head).toContain(
    "Content-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n",
  );
  client.socket.write("hello ");
  await client.until("hello ");
  client.socket.end("again ");
  expect(await client.untilEnd()).toEndWith("\r\n\r\nhello again end");
  await settled(() => echo.closed);
});

test("input that comes with the request itself is not lost", async () => {
  const client = new Client(`${post("/containers/x/attach?stream=1&stdin=1&stdout=1", upgrade)}early `);
  await client.until("early ");
  client.socket.end();
  expect(await client.untilEnd()).toEndWith("\r\n\r\nearly end");
});

test("without an upgrade an attach tells the raw stream's type, framed or not", async () => {
  const client = new Client(post("/containers/x/attach?stream=1"));
  const head = await client.until("\r\n\r\n");
  expect(head).toStartWith("HTTP/1.1 200 OK\r\n");
  expect(head).toContain("Content-Type: application/vnd.docker.raw-stream\r\n");
  client.socket.destroy();
});

test("an older client gets the raw stream's type", async () => {
  const client = new Client(post("/v1.41/containers/x/attach?stream=1", upgrade));
  expect(await client.until("\r\n\r\n")).toContain("Content-Type: application/vnd.docker.raw-stream\r\n");
  client.socket.destroy();
});

test("an attach without an upgrade is answered with 200 and the raw connection", async () => {
  const client = new Client(post("/containers/x/attach?stream=1&stdout=1"));
  expect(await client.until("\r\n\r\n")).toStartWith("HTTP/1.1 200 OK\r\nContent-Type: ");
  await echo.write(Buffer.from("out "));
  await client.until("\r\n\r\nout ");
  await echo.closeStdin();
  expect(await client.untilEnd()).toEndWith("\r\n\r\nout end");
});

test("a client that is behind gets all there is, and the end", async () => {
  const length = 1 << 20;
  for (const headers of ["", upgrade]) {
    echo = new Echo();
    const client = new Client(post("/containers/x/attach?stream=1&stdout=1", headers));
    const head = (await client.until("\r\n\r\n")).length;
    client.socket.pause();
    for (let at = 0; at < length; at += 65_536) await echo.write(Buffer.alloc(65_536, "x"));
    await echo.closeStdin();
    await Bun.sleep(5);
    client.socket.resume();
    expect((await client.untilEnd()).length - head).toBe(length + "end".length);
  }
});

test("what follows an attach on a connection is never taken for a request", async () => {
  const attached = post("/containers/x/attach?stream=1&stdin=1&stdout=1");
  const later = new Client(attached);
  await later.until("\r\n\r\n");
  later.socket.write(post("/containers/x/pause"));
  const atOnce = new Client(attached + post("/containers/x/pause"));
  for (const client of [later, atOnce]) await client.untilEnd();
  expect(pauses).toBe(0);
  const one = new Client("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n");
  await one.until("OK");
  one.socket.write("GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
  await one.until('"ApiVersion"');
  one.socket.destroy();
});

test("a refused attach is told as plain text, on either kind of connection", async () => {
  for (const headers of [upgrade, ""]) {
    const text = await new Client(post("/containers/none/attach", headers)).untilEnd();
    expect(text).toBe(
      "HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nNo such container: none\r\n",
    );
  }
});

const execRequest = (protocol: string, body: object): string => {
  const text = JSON.stringify(body);
  const headers = `Connection: Upgrade\r\nUpgrade: ${protocol}\r\nContent-Type: application/json\r\n`;
  return `${post("/containers/a/exec", `${headers}Content-Length: ${text.length}\r\n`)}${text}`;
};

test("an exec created by our protocol starts on its connection, and its exit code comes last", async () => {
  const client = new Client(execRequest("berth-exec", { Cmd: ["cat"] }));
  expect(await client.until("\r\n\r\n")).toMatch(/^HTTP\/1.1 101 [\s\S]*Upgrade: berth-exec\r\n/);
  client.socket.end("hello ");
  expect(await client.untilEnd()).toEndWith("hello end\x04\0\0\0\0\0\0\x07");
});

test("an exec with a terminal, or by another protocol, is created only", async () => {
  for (const request of [
    execRequest("berth-exec", { Cmd: ["cat"], Tty: true }),
    execRequest("tcp", { Cmd: ["cat"] }),
  ])
    expect(await new Client(request).untilEnd()).toMatch(/^HTTP\/1.1 201 [\s\S]*\{"Id":"e1"\}/);
});

test("a client that vanishes lets its session go", async () => {
  echo.deaf = true;
  const client = new Client(post("/containers/x/attach?stream=1&stdin=1", upgrade));
  await client.until("101");
  client.socket.destroy();
  await settled(() => echo.closed && echo.cancelled);
});

test("a request that asks for an upgrade and gets none is answered all the same", async () => {
  const text = await new Client(`GET /version HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`).untilEnd();
  expect(text).toStartWith("HTTP/1.1 200 OK\r\n");
  expect(text).toContain('"ApiVersion":"1.51"');
});

test("wait sends its head at once and its answer when there is one", async () => {
  const client = new Client(post("/containers/x/wait"));
  expect(await client.until("\r\n\r\n")).not.toContain("StatusCode");
  gate.resolve({ StatusCode: 7 });
  await client.until('{"StatusCode":7}');
  client.socket.destroy();
});

test("bad requests and bugs are answered and leave the server standing", async () => {
  expect(await new Client("nonsense\r\n\r\n").untilEnd()).toStartWith("HTTP/1.1 400 Bad Request");
  expect(await new Client(post("/containers/x/pause")).until("a bug")).toStartWith("HTTP/1.1 500");
  const long = new Client(`GET /${"x".repeat(200_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  expect(await long.untilEnd()).toMatch(/^(HTTP\/1.1 4\d\d|$)/);
  expect(await new Client("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n").until("OK")).toContain("200 OK");
});

test("closing ends what is open and takes the socket away", async () => {
  const client = new Client(post("/containers/x/attach?stream=1&stdin=1", upgrade));
  await client.until("101");
  echo.deaf = true;
  await server.close();
  await client.untilEnd();
  await settled(() => echo.closed);
  expect(() => statSync(join(home, "sock"))).toThrow();
});

test("connections leave descriptors for the engine itself", () => {
  expect([connectionsMax(1024), connectionsMax(Number.POSITIVE_INFINITY)]).toEqual([256, 4096]);
  expect(openFilesMax()).toBeGreaterThan(0);
});
