/** Attaching over a WebSocket: RFC 6455 through the engine's socket. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { startEngine, type TestEngine } from "../harness/engine.ts";

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine({ images: ["busybox"] });
}, 120_000);
afterAll(() => engine.destroy(), 120_000);

/** A bare client: sends masked frames, gathers unmasked ones. */
class Client {
  readonly socket: Socket;
  head = "";
  data = "";
  closeCode: number | undefined;
  pongs = 0;
  ended = false;
  private rest = Buffer.alloc(0);
  readonly key = randomBytes(16).toString("base64");

  constructor(path: string, headers: Record<string, string> = {}) {
    this.socket = connect(engine.socket);
    const lines = Object.entries({
      Host: "engine",
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Key": this.key,
      "Sec-WebSocket-Version": "13",
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    this.socket.on("data", (bytes) => this.take(bytes as Buffer));
    this.socket.on("close", () => {
      this.ended = true;
    });
  }

  send(code: number, text: string): void {
    const payload = Buffer.from(text);
    const mask = randomBytes(4);
    const body = Buffer.from(payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0)));
    this.socket.write(Buffer.concat([Buffer.from([0x80 | code, 0x80 | payload.length]), mask, body]));
  }

  async until(test: () => boolean): Promise<void> {
    for (let tries = 0; tries < 3000 && !test(); tries++) await Bun.sleep(10);
    expect(test()).toBe(true);
  }

  private take(bytes: Buffer): void {
    this.rest = Buffer.concat([this.rest, bytes]);
    if (this.head === "") {
      const end = this.rest.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.head = this.rest.subarray(0, end).toString();
      this.rest = this.rest.subarray(end + 4);
    }
    if (!this.head.startsWith("HTTP/1.1 101")) return;
    for (;;) {
      const [first = 0, second = 0] = this.rest;
      const long = second === 126 ? 2 : second === 127 ? 8 : 0;
      if (this.rest.length < 2 + long) return;
      const length =
        long === 0 ? second : long === 2 ? this.rest.readUInt16BE(2) : Number(this.rest.readBigUInt64BE(2));
      if (this.rest.length < 2 + long + length) return;
      const payload = this.rest.subarray(2 + long, 2 + long + length);
      this.rest = this.rest.subarray(2 + long + length);
      if ((first & 15) === 2) this.data += payload.toString();
      if ((first & 15) === 8) this.closeCode = payload.readUInt16BE();
      if ((first & 15) === 10) this.pongs++;
    }
  }
}

const streams = "stream=1&stdin=1&stdout=1&stderr=1";

test("input and both outputs flow, pings are answered, and the process's end closes", async () => {
  await engine.ok("create", "-i", "--name", "cat", "busybox", "sh", "-c", "echo oops >&2; cat; exit 3");
  const client = new Client(`/v1.51/containers/cat/attach/ws?${streams}`);
  await client.until(() => client.head !== "");
  const accept = createHash("sha1")
    .update(`${client.key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  expect(client.head).toContain("HTTP/1.1 101");
  expect(client.head.toLowerCase()).toContain(`sec-websocket-accept: ${accept}`.toLowerCase());
  await engine.ok("start", "cat");
  client.send(1, "hello\n");
  client.send(9, "ping");
  client.send(2, "more\n");
  // two pipes: which of them is read first is chance
  await client.until(() => client.data.includes("more\n") && client.data.includes("oops\n"));
  expect(client.data.replace("oops\n", "")).toBe("hello\nmore\n");
  expect(client.data).toContain("oops\n");
  expect(client.pongs).toBe(1);
  await engine.ok("kill", "cat");
  await client.until(() => client.ended);
  expect(client.closeCode).toBe(1000);
}, 120_000);

test("a client that closes lets go, and the container runs on; past output is told", async () => {
  await engine.ok("run", "-d", "--name", "long", "busybox", "sh", "-c", "echo past; sleep 300");
  // what is written while one attaches may be told by the log, by the stream, or by both
  while ((await engine.ok("logs", "long")) !== "past") await Bun.sleep(10);
  const client = new Client("/v1.51/containers/long/attach/ws?logs=1&stream=1&stdout=1");
  await client.until(() => client.data === "past\n");
  client.send(8, "");
  await client.until(() => client.ended);
  expect(client.closeCode).toBe(1000);
  expect(await engine.ok("inspect", "-f", "{{.State.Running}}", "long")).toBe("true");
}, 120_000);

test("what is no WebSocket, breaks its rules, or comes from another site is refused", async () => {
  await engine.ok("run", "-d", "--name", "target", "busybox", "sleep", "300");
  const path = `/v1.51/containers/target/attach/ws?${streams}`;
  expect((await engine.api(path)).status).toBe(400);
  const foreign = new Client(path, { Origin: "http://evil.example" });
  await foreign.until(() => foreign.head !== "");
  expect(foreign.head).toContain("HTTP/1.1 403");
  const missing = new Client(path.replace("target", "none"));
  await missing.until(() => missing.head !== "");
  expect(missing.head).toContain("HTTP/1.1 404");
  const broken = new Client(path);
  await broken.until(() => broken.head !== "");
  broken.socket.write(Buffer.from([0x81, 2, 104, 105])); // not masked
  await broken.until(() => broken.ended);
  expect(broken.closeCode).toBe(1002);
}, 120_000);
