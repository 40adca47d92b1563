import { expect, test } from "bun:test";
import type { Connection } from "./connection.ts";
import { parseHost } from "./host.ts";
import { Reader, receive, requestHead, SourceFailed, send } from "./http.ts";
import { Demultiplexer } from "./multiplex.ts";

/** A connection whose other side says these pieces. */
function saying(...pieces: string[]): Connection {
  const rest = pieces.map((piece) => Buffer.from(piece));
  return {
    read: async () => rest.shift(),
    write: async () => undefined,
    closeWrite: () => undefined,
    close: () => undefined,
  };
}
async function all(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  return text;
}

test("a body of a known length is read across pieces", async () => {
  const response = await receive(
    new Reader(saying("HTTP/1.1 200 OK\r\nContent-Le", "ngth: 5\r\n\r\nhe", "llo", "more")),
    "GET",
  );
  expect([response.status, await all(response.body)]).toEqual([200, "hello"]);
});
test("a chunked body is read across pieces", async () => {
  const response = await receive(
    new Reader(
      saying(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r",
        "\nabc\r\n1",
        "0\r\n0123456789abcdef\r\n0\r\n\r\n",
      ),
    ),
    "GET",
  );
  expect(await all(response.body)).toBe("abc0123456789abcdef");
});
test("a body that ends too early is an error", async () => {
  const response = await receive(
    new Reader(saying("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")),
    "GET",
  );
  expect(all(response.body)).rejects.toThrow("unexpected EOF");
});
test("after a switch of protocols the rest of the stream is the body", async () => {
  const response = await receive(
    new Reader(saying("HTTP/1.1 101 UPGRADED\r\nContent-Type: x\r\n\r\nraw", "bytes")),
    "POST",
  );
  expect([response.status, await all(response.body)]).toEqual([101, "rawbytes"]);
});
test("header values cannot break the request apart", () => {
  expect(requestHead({ method: "GET", path: "/", headers: { A: "x\r\nB: y" } }, "h")).toBe(
    "GET / HTTP/1.1\r\nHost: h\r\nA: xB: y\r\n\r\n",
  );
});
test("frames cut anywhere come out whole", () => {
  const bytes = Buffer.concat([
    Buffer.from([1, 0, 0, 0, 0, 0, 0, 3]),
    Buffer.from("out"),
    Buffer.from([2, 0, 0, 0, 0, 0, 0, 3]),
    Buffer.from("err"),
  ]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const frames = new Demultiplexer();
    const seen = { stdout: "", stderr: "" };
    for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)])
      for (const { stream, bytes: part } of frames.push(piece)) seen[stream] += Buffer.from(part).toString();
    expect(seen).toEqual({ stdout: "out", stderr: "err" });
  }
});
test("hosts are read in every form", () => {
  expect(parseHost("unix:///run/x.sock", false)).toEqual({
    kind: "unix",
    url: "unix:///run/x.sock",
    path: "/run/x.sock",
  });
  expect(parseHost("tcp://[::1]:99", false)).toMatchObject({
    kind: "tcp",
    hostname: "::1",
    port: 99,
    tls: false,
  });
  expect(parseHost("tcp://host", true)).toMatchObject({ port: 2376, tls: true });
  expect(parseHost("ssh://u@h:22/run/x.sock", false)).toMatchObject({
    kind: "ssh",
    user: "u",
    hostname: "h",
    port: 22,
    socket: "/run/x.sock",
  });
  expect(() => parseHost("foo://x", false)).toThrow("invalid bind address format: foo://x");
});

test("a body that cannot be read to its end fails the request by its own sentence", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
    throw new Error("read /x: input/output error");
  }
  const failure = await send(saying(), { method: "POST", path: "/", headers: {}, body: broken() }, "x").catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(SourceFailed);
  expect((failure as Error).message).toBe("read /x: input/output error");
});
