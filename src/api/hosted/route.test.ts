import { expect, test } from "bun:test";
import { Duplex, PassThrough } from "node:stream";
import { commandProtocol, encodeCommand } from "../../lib/wire/hosted-command.ts";
import { answer } from "../dispatch.ts";
import { json, noContent, type Reply } from "../reply.ts";
import { Router } from "../router.ts";
import { fakeEngine } from "../testing/fake-engine.ts";
import { commandRoute, type RunHosted } from "./route.ts";

const inner = new Router([
  { method: "GET", pattern: "/things", handler: () => json([1, 2]) },
  { method: "POST", pattern: "/things", handler: () => noContent },
]);

const body = (args: string[], build = "b1"): Uint8Array =>
  encodeCommand({
    build,
    folder: "/",
    terminals: [false, false, false],
    window: { rows: 0, columns: 0 },
    variables: new Map(),
    args,
  });

const gone = new AbortController();
gone.abort();

interface Asked {
  signal?: AbortSignal;
  bytes?: Uint8Array;
  local?: boolean;
  headers?: Record<string, string>;
}

const ask = (run: RunHosted, asked?: Asked): Promise<Reply> =>
  askOf(new Router([commandRoute(inner, async () => run, "b1")]), asked);

function askOf(
  router: Router,
  { bytes = body(["x"]), local = true, headers, signal = new AbortController().signal }: Asked = {},
): Promise<Reply> {
  return answer(fakeEngine(), router, {
    method: "POST",
    url: "/berth/command",
    headers: { upgrade: commandProtocol, "content-length": String(bytes.length), ...headers },
    body: (async function* () {
      yield bytes;
    })(),
    signal: () => signal,
    local,
  });
}

/** What a client reads after the 101. */
async function framesOf(reply: Reply): Promise<string> {
  if (reply.kind !== "upgrade") throw new Error(`no upgrade but ${JSON.stringify(reply)}`);
  const socket = new PassThrough();
  const written: Uint8Array[] = [];
  socket.write = ((bytes: Uint8Array) => {
    written.push(bytes);
    return true;
  }) as typeof socket.write;
  const ended = new Promise<void>((resolve) => {
    socket.end = (() => {
      resolve();
      return socket;
    }) as typeof socket.end;
  });
  reply.take(socket);
  await ended;
  return Buffer.concat(written).toString("latin1");
}

const head = (stream: number, length: number): string =>
  `${String.fromCharCode(stream)}\0\0\0\0\0\0${String.fromCharCode(length)}`;
const end = (code: number): string => head(3, 1) + String.fromCharCode(code);

test("output and exit code are told in frames", async () => {
  const reply = await ask(async (_command, host) => {
    host.write(1, "out");
    host.write(2, new Uint8Array([1, 2]));
    return { code: 3 };
  });
  expect(await framesOf(reply)).toBe(`${head(1, 3)}out${head(2, 2)}\u0001\u0002${end(3)}`);
});

test("a command that reads may find out late that it needs a process, whatever it has written", async () => {
  const reply = await ask(async (_command, host) => {
    await host.exchange({ method: "GET", path: "/v1.51/things" });
    host.write(2, "a warning");
    return { needs: "a terminal" };
  });
  expect(reply).toMatchObject({ kind: "json", status: 409 });
});

test("a request that found nothing has changed nothing: the command goes back to its client", async () => {
  const reply = await ask(async (_command, host) => {
    host.write(2, "a warning");
    await host.exchange({ method: "POST", path: "/v1.51/nothing" });
    return { needs: "a pull" };
  });
  expect(await framesOf(reply)).toBe(head(4, 0));
});

test("after a change a command is never given back", async () => {
  const reply = await ask(async (_command, host) => {
    await host.exchange({ method: "POST", path: "/v1.51/things" });
    return { needs: "a file" };
  });
  const frames = await framesOf(reply);
  expect(frames).toContain("it changed something");
  expect(frames.endsWith(end(1))).toBe(true);
});

test("a command is not given back while a change of its own is under way", async () => {
  const reply = await ask(async (_command, host) => {
    void host.exchange({ method: "POST", path: "/v1.51/things" });
    await host.exchange({ method: "POST", path: "/v1.51/nothing" });
    return { needs: "a pull" };
  });
  expect((await framesOf(reply)).endsWith(end(1))).toBe(true);
});

test("a fault of ours ends the command, not the engine", async () => {
  const reply = await ask(async () => {
    throw new TypeError("undefined is not a function");
  });
  expect(await framesOf(reply)).toBe(`${head(2, 28)}undefined is not a function\n${end(1)}`);
});

test("a client that is gone gets nothing more done", async () => {
  let made = 0;
  const run: RunHosted = async (_command, host) => {
    await host.exchange({ method: "GET", path: "/v1.51/things" });
    made++;
    return { code: 0 };
  };
  expect(await framesOf(await ask(run, { signal: gone.signal }))).toContain("the client is gone");
  expect(made).toBe(0);
});

test("long output is cut into pieces between its characters", async () => {
  const text = `${"x".repeat((16 << 10) - 1)}😀${"é".repeat(20 << 10)}`;
  const reply = await ask(async (_command, host) => {
    host.write(1, text);
    return { code: 0 };
  });
  const bytes = Buffer.from(await framesOf(reply), "latin1");
  let [at, whole] = [0, ""];
  while (bytes[at] === 1) {
    const length = bytes.readUInt32BE(at + 4);
    whole += bytes.subarray(at + 8, at + 8 + length).toString();
    at += 8 + length;
  }
  expect(whole).toBe(text);
});

/** A connection whose other end never reads. */
const unread = (): Duplex => new Duplex({ read: () => undefined, write: () => undefined });

test("output that nobody reads takes a place, until its client is gone", async () => {
  const router = new Router([
    commandRoute(
      inner,
      async () => async (_command, host) => {
        host.write(1, "x".repeat(100 << 10));
        return { code: 0 };
      },
      "b1",
    ),
  ]);
  const sockets = Array.from({ length: 64 }, unread);
  for (const socket of sockets) {
    const reply = await askOf(router);
    if (reply.kind === "upgrade") reply.take(socket);
  }
  expect(await askOf(router)).toMatchObject({ kind: "json", status: 409 });
  for (const socket of sockets) socket.destroy();
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve))));
  expect((await askOf(router)).kind).toBe("upgrade");
});

const never: RunHosted = () => {
  throw new Error("it was run");
};

test.each([
  ["from another machine", 409, { local: false }],
  ["of another build", 409, { bytes: body(["ps"], "b2") }],
  ["that is malformed", 400, { bytes: new TextEncoder().encode("b1\0/") }],
  ["that is too long", 413, { bytes: body(["x".repeat(70 << 10)]) }],
  ["without an upgrade", 400, { headers: { upgrade: "tcp" } }],
])("a command line %s is refused", async (_what, status, asked) => {
  expect(await ask(never, asked)).toMatchObject({ kind: "json", status });
});
