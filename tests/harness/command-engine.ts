/**
 * An engine in the test's own process that knows two things: to answer the launcher's question as a test says, byte by byte,
 * and to list no containers for an ordinary client, which is how a test sees that the launcher left a command to it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { frame as frameOf } from "../../src/lib/wire/multiplex.ts";

type Line = Bun.Socket<Uint8Array[]>;

/** What the launcher asked: the strings of its request's body. */
export interface CommandRequest {
  buildId: string;
  folder: string;
  terminals: string;
  environment: string[];
  args: string[];
}

export interface CommandEngine extends AsyncDisposable {
  /** folder of its own, with the socket; also a place for a test's files */
  home: string;
  url: string;
  /** request lines and ends of connections in the order they came: `POST /berth/command`, `GET /v1.51/…`, `closed` */
  seen: string[];
  commands: CommandRequest[];
  answer: (line: Line) => void | Promise<void>;
}

export const accepted =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: berth-command\r\n\r\n";

export const frame = (stream: number, data: string | Uint8Array): Uint8Array =>
  frameOf(stream, typeof data === "string" ? new TextEncoder().encode(data) : data);

export const ending = (code: number): Uint8Array => frame(3, Uint8Array.of(code));

/** Writes all of it, waiting for a reader that is slow; false once there is none. */
export async function sendAll(line: Line, bytes: Uint8Array | string): Promise<boolean> {
  let rest = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  while (rest.length > 0) {
    const sent = line.write(rest);
    if (sent < 0) return false;
    rest = rest.subarray(sent);
    if (rest.length > 0) await Bun.sleep(1);
  }
  return true;
}

export async function startCommandEngine(): Promise<CommandEngine> {
  const home = await mkdtemp(join(tmpdir(), "berth-launcher-"));
  const path = join(home, "engine.sock");
  const engine: CommandEngine = {
    home,
    url: `unix://${path}`,
    seen: [],
    commands: [],
    answer: (line) => void line.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    async [Symbol.asyncDispose]() {
      listener.stop(true);
      await rm(home, { recursive: true });
    },
  };
  const listener = Bun.listen<Uint8Array[]>({
    unix: path,
    socket: {
      binaryType: "uint8array",
      open(line) {
        line.data = [];
      },
      data(line, bytes: Uint8Array) {
        line.data.push(bytes.slice());
        return take(engine, line);
      },
      close: () => void engine.seen.push("closed"),
    },
  });
  return engine;
}

async function take(engine: CommandEngine, line: Line): Promise<void> {
  const bytes = Buffer.concat(line.data);
  const head = bytes.indexOf("\r\n\r\n");
  if (head < 0) return;
  const text = bytes.toString("latin1", 0, head);
  const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0);
  if (bytes.length < head + 4 + length) return;
  line.data = [];
  engine.seen.push(/^\S+ [^ ?]+/.exec(text)?.[0] ?? text);
  if (text.startsWith("POST /berth/command ")) {
    engine.commands.push(commandOf(bytes.toString("utf8", head + 4)));
    await engine.answer(line);
  } else {
    line.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]");
  }
}

function commandOf(body: string): CommandRequest {
  const [buildId = "", folder = "", terminals = "", count = "", ...rest] = body.split("\0").slice(0, -1);
  return {
    buildId,
    folder,
    terminals,
    environment: rest.slice(0, Number(count)),
    args: rest.slice(Number(count)),
  };
}
