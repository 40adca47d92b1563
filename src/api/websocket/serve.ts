import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import type { Session } from "../../containers/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { Demultiplexer } from "../../lib/wire/multiplex.ts";
import { headText, pour } from "../send.ts";
import { closeCode, closeFrame, encodeFrame, FrameError, FrameReader, opcode } from "./frames.ts";

/** RFC 6455, 1.3 */
const handshakeSalt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The client's key, once the request is a WebSocket's; throws `invalid` in Docker's words otherwise. */
export function websocketKey(headers: IncomingHttpHeaders): string {
  const key = headers["sec-websocket-key"];
  const upgrades = headers.upgrade?.toLowerCase() === "websocket";
  if (!upgrades || key === undefined) throw new EngineError("invalid", "not websocket protocol");
  if (headers["sec-websocket-version"] !== "13")
    throw new EngineError("invalid", "not supported WebSocket version: 13 is");
  return key;
}

/**
 * A page of another site, in a browser that reaches the engine over TCP, must not get a container's terminal: where an
 * origin is told, it is the engine's own host.
 */
export function refuseForeignOrigin({ origin, host }: IncomingHttpHeaders): void {
  if (origin === undefined) return;
  if (URL.canParse(origin) && (host === undefined || new URL(origin).host === host)) return;
  throw new EngineError("forbidden", `origin ${origin} is not this engine's`);
}

/**
 * A session over a WebSocket: what the process writes goes in binary frames, both streams as they come and without
 * heads; what the client sends, in frames of either kind, is its input. The end of either side ends both.
 */
export async function serveWebsocket(socket: Duplex, key: string, session: Session): Promise<void> {
  const accept = createHash("sha1")
    .update(key + handshakeSalt)
    .digest("base64");
  socket.write(
    headText(
      101,
      { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Accept": accept },
      "Switching Protocols",
    ),
  );
  const input = new Input(socket, session);
  socket.once("close", () => session.close());
  try {
    await pour(outputFrames(session), socket);
    if (!input.closed) socket.write(closeFrame(closeCode.normal));
  } finally {
    input.stop();
    session.close();
    socket.end();
  }
}

async function* outputFrames({ output, terminal }: Session): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  const demultiplexer = new Demultiplexer((_stream, payload) =>
    ready.push(encodeFrame(opcode.binary, payload)),
  );
  for await (const chunk of output) {
    if (terminal) yield encodeFrame(opcode.binary, chunk);
    else {
      demultiplexer.push(chunk);
      yield* ready;
      ready = [];
    }
  }
}

/** What the client sends, one piece at a time: the socket is paused while a piece is on its way. */
class Input {
  closed = false;
  private readonly socket: Duplex;
  private readonly session: Session;
  private readonly reader: FrameReader;
  private tail: Promise<void> = Promise.resolve();

  constructor(socket: Duplex, session: Session) {
    this.socket = socket;
    this.session = session;
    this.reader = new FrameReader({
      data: (bytes) => {
        this.queue(() => this.session.write(bytes));
      },
      control: (code, payload) => this.control(code, payload),
    });
    socket.on("data", this.onData);
    socket.on("end", this.onEnd);
    socket.resume();
  }

  stop(): void {
    this.socket.off("data", this.onData);
    this.socket.off("end", this.onEnd);
    this.socket.resume(); // so that the client's close is seen
  }

  private readonly onData = (bytes: Uint8Array): void => {
    this.socket.pause();
    try {
      this.reader.push(bytes);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.leave(closeCode.protocolError);
    }
    this.queue(async () => void this.socket.resume());
  };

  private readonly onEnd = (): void => {
    this.queue(async () => this.session.close());
  };

  private control(code: number, payload: Uint8Array): void {
    if (code === opcode.ping) this.socket.write(encodeFrame(opcode.pong, payload));
    else if (code === opcode.close) this.leave(closeCode.normal);
  }

  private leave(code: number): void {
    if (this.closed) return;
    this.closed = true;
    this.queue(async () => {
      this.socket.write(closeFrame(code));
      this.session.close();
      this.socket.end();
    });
  }

  /** A write that fails means the process no longer reads: input is dropped, output goes on to its end. */
  private queue(act: () => Promise<void>): void {
    this.tail = this.tail.then(act).catch(() => {
      this.stop();
    });
  }
}
