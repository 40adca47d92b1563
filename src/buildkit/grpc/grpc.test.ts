import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import net, { type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { silentLogger } from "../../lib/log.ts";
import { bytes, int32, message, string } from "../../lib/protobuf/schema.ts";
import { GrpcClient } from "./client.ts";
import { messageLimit } from "./frames.ts";
import { type Method, serverStream, unary } from "./method.ts";
import { GrpcServer } from "./server.ts";
import { GrpcError } from "./status.ts";

const text = message({ text: [1, string] });
const count = message({ count: [1, int32], data: [2, bytes] });

const methods = new Map<string, Method>([
  ["/t.T/Echo", unary(text, text, async (request) => ({ text: `${request.text}!` }))],
  [
    "/t.T/Count",
    serverStream(count, count, async function* (request) {
      for (let at = 0; at < request.count; at++) yield { count: at, data: new Uint8Array(100_000) };
    }),
  ],
  [
    "/t.T/Fail",
    unary(text, text, async () => {
      throw new GrpcError(9, "100 % wrong: grüße\n", [
        { typeUrl: "x/y+json", value: new TextEncoder().encode("{}") },
      ]);
    }),
  ],
  [
    "/t.T/FailAtLength",
    unary(text, text, async () => {
      throw new GrpcError(2, "ü".repeat(100_000), [{ typeUrl: "x/y+json", value: new Uint8Array(100_000) }]);
    }),
  ],
  [
    "/t.T/Refuse",
    unary(text, text, async () => {
      throw new EngineError("invalid", "no such thing");
    }),
  ],
  [
    "/t.T/Names",
    unary(text, text, async (_request, { metadata }) => ({
      text: JSON.stringify(metadata.get("followpaths")),
    })),
  ],
  [
    "/t.T/Reverse",
    async function* (messages) {
      for await (const each of messages) yield each.toReversed();
    },
  ],
  [
    "/t.T/Hang",
    unary(
      text,
      text,
      (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            hung.abort();
            reject(new Error("gone"));
          });
        }),
    ),
  ],
]);
let hung = new AbortController();

describe("gRPC over a connection that is already open", () => {
  let folder: string;
  let server: GrpcServer;
  let client: GrpcClient;
  let listener: net.Server;
  let path: string;

  const connect = (): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = net.connect(path, () => resolve(socket));
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-grpc-"));
    path = join(folder, "s");
    server = new GrpcServer(methods, silentLogger);
    listener = net.createServer((socket) => {
      socket.on("error", () => socket.destroy());
      server.serve(socket);
    });
    await new Promise<void>((resolve) => listener.listen(path, () => resolve()));
    client = new GrpcClient(await connect());
  });

  afterAll(async () => {
    client.close();
    server.close();
    listener.close();
    await rm(folder, { recursive: true });
  });

  test("a call is answered", async () => {
    expect(await client.unary("/t.T/Echo", text, { text: "hi" }, text)).toEqual({ text: "hi!" });
  });

  test("many calls go at once on one connection", async () => {
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, at) => client.unary("/t.T/Echo", text, { text: String(at) }, text)),
    );
    expect(all.map((each) => each.text)).toEqual(Array.from({ length: 100 }, (_, at) => `${at}!`));
  });

  test("a response of many megabytes streams whole and in order", async () => {
    const stream = client.stream("/t.T/Count");
    await stream.send(Uint8Array.of(0x08, 100));
    stream.closeSend();
    let bytesSeen = 0;
    for await (const each of stream.messages) bytesSeen += each.length;
    expect(bytesSeen).toBeGreaterThan(10_000_000);
  });

  test("messages stream both ways", async () => {
    const stream = client.stream("/t.T/Reverse");
    const answers = stream.messages[Symbol.asyncIterator]();
    await stream.send(Uint8Array.of(1, 2));
    expect([...((await answers.next()).value ?? [])]).toEqual([2, 1]);
    await stream.send(Uint8Array.of(3, 4, 5));
    expect([...((await answers.next()).value ?? [])]).toEqual([5, 4, 3]);
    stream.closeSend();
    expect((await answers.next()).done).toBe(true);
  });

  test("an error longer than trailers hold is told by its beginning", async () => {
    const error = await client.unary("/t.T/FailAtLength", text, {}, text).catch((caught) => caught);
    expect(error).toMatchObject({ code: 2, details: [] });
    expect(error.message).toStartWith("üüü");
  });

  test("an error keeps its code, its sentence and its details", async () => {
    const error = await client.unary("/t.T/Fail", text, {}, text).catch((caught) => caught);
    expect(error).toBeInstanceOf(GrpcError);
    expect(error).toMatchObject({
      code: 9,
      message: "100 % wrong: grüße\n",
      details: [{ typeUrl: "x/y+json" }],
    });
  });

  test("an engine's error is told by its sentence alone", async () => {
    await expect(client.unary("/t.T/Refuse", text, {}, text)).rejects.toMatchObject({
      code: 2,
      message: "no such thing",
    });
  });

  test("what is not served is named", async () => {
    await expect(client.unary("/t.T/Nope", text, {}, text)).rejects.toMatchObject({
      code: 12,
      message: "unknown method Nope for service t.T",
    });
    await expect(client.unary("/u.U/Nope", text, {}, text)).rejects.toMatchObject({
      message: "unknown service u.U",
    });
  });

  test("repeated metadata stays apart", async () => {
    const answer = await client.unary("/t.T/Names", text, {}, text, {
      metadata: { followpaths: ["a, b", "c"] },
    });
    expect(answer.text).toBe('["a, b","c"]');
  });

  test("a call that its caller gives up ends on both sides", async () => {
    hung = new AbortController();
    const given = new AbortController();
    const call = client
      .unary("/t.T/Hang", text, {}, text, { signal: given.signal })
      .catch((caught) => caught);
    await client.unary("/t.T/Echo", text, {}, text);
    given.abort(new Error("enough"));
    expect(await call).toMatchObject({ message: "enough" });
    if (!hung.signal.aborted) await new Promise((resolve) => hung.signal.addEventListener("abort", resolve));
  });

  test("a connection that breaks ends its calls on both sides", async () => {
    hung = new AbortController();
    const socket = await connect();
    const other = new GrpcClient(socket);
    const call = other.unary("/t.T/Hang", text, {}, text).catch((caught) => caught);
    await other.unary("/t.T/Echo", text, {}, text);
    socket.destroy();
    expect(await call).toBeInstanceOf(GrpcError);
    await other.closed;
    if (!hung.signal.aborted) await new Promise((resolve) => hung.signal.addEventListener("abort", resolve));
    expect(await client.unary("/t.T/Echo", text, { text: "still" }, text)).toEqual({ text: "still!" });
  });

  test("a message longer than the limit ends its call alone", async () => {
    const error = await client
      .unary("/t.T/Echo", text, { text: "x".repeat(messageLimit) }, text)
      .catch((caught) => caught);
    expect(error).toMatchObject({ code: 8 });
    expect(await client.unary("/t.T/Echo", text, {}, text)).toEqual({ text: "!" });
  });

  test("a connection that is not HTTP/2 is closed", async () => {
    const socket = await connect();
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20));
    await ended;
    expect(await client.unary("/t.T/Echo", text, {}, text)).toEqual({ text: "!" });
  });
});
