import http2, { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import type { Duplex } from "node:stream";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import type { Decoded, Encodable, Fields, Message } from "../../lib/protobuf/schema.ts";
import { frame } from "./frames.ts";
import { Incoming, messagesOf } from "./incoming.ts";
import { write } from "./server.ts";
import { codes, errorOfTrailers, GrpcError } from "./status.ts";

const settings = { initialWindowSize: 2 * 1024 * 1024, maxHeaderListSize: 64 * 1024, enablePush: false };

export interface CallOptions {
  /** repeated names stay apart */
  metadata?: Readonly<Record<string, string | readonly string[]>>;
  signal?: AbortSignal;
}

/** A call that streams both ways. */
export interface GrpcStream {
  /** in order; ends with the call, throws its error */
  messages: AsyncIterable<Uint8Array>;
  /** the same, still framed, in pieces as they come, each with a buffer of its own: instead of `messages` */
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>;
  send(message: Uint8Array): Promise<void>;
  /** messages that are framed already */
  sendFramed(bytes: Uint8Array): Promise<void>;
  closeSend(): void;
  cancel(): void;
}

/** The caller's side of gRPC on one connection that is already open. */
export class GrpcClient {
  private readonly session: ClientHttp2Session;
  /** resolves when the connection is gone */
  readonly closed: Promise<void>;

  constructor(socket: Duplex) {
    this.session = http2.connect("http://localhost", { createConnection: () => socket, settings });
    this.closed = new Promise((resolve) => this.session.once("close", () => resolve()));
    // `close` follows, and with it every call ends.
    this.session.on("error", () => this.session.destroy());
  }

  close(): void {
    this.session.destroy();
  }

  stream(path: string, { metadata = {}, signal }: CallOptions = {}): GrpcStream {
    signal?.throwIfAborted();
    if (this.session.destroyed || this.session.closed) throw connectionLost();
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
    const stream = this.session.request({ ...headers, ...(metadata as Record<string, string>) });
    const cancel = (): void => stream.close(http2.constants.NGHTTP2_CANCEL);
    signal?.addEventListener("abort", cancel, { once: true });
    stream.once("close", () => signal?.removeEventListener("abort", cancel));
    const outcome = outcomeOf(stream);
    const incoming = new Incoming(stream);
    const send = (bytes: Uint8Array): Promise<void> =>
      write(stream, bytes).catch(async (error: unknown) => {
        signal?.throwIfAborted();
        // who refused the call has said why
        throw (await outcome) ?? error;
      });
    return {
      messages: withOutcome(messagesOf(incoming), outcome, signal),
      pieces: withOutcome(piecesOf(incoming), outcome, signal),
      sendFramed: send,
      send: (message) => send(frame(message)),
      closeSend: () => void stream.end(),
      cancel,
    };
  }

  async unary<In extends Fields, Out extends Fields>(
    path: string,
    request: Message<In>,
    value: Encodable<Message<In>>,
    response: Message<Out>,
    options: CallOptions = {},
  ): Promise<Decoded<Message<Out>>> {
    const stream = this.stream(path, options);
    await stream.send(encode(request, value));
    stream.closeSend();
    let answer: Uint8Array | undefined;
    for await (const message of stream.messages) answer = message;
    if (!answer) throw new GrpcError(codes.internal, `${path}: no response`);
    return decode(response, answer);
  }
}

const connectionLost = (): GrpcError => new GrpcError(codes.unavailable, "the client's session has ended");

/** What trailers, or the headers of a call refused at once, tell at its end. */
function outcomeOf(stream: ClientHttp2Stream): Promise<GrpcError | undefined> {
  return new Promise((resolve) => {
    stream.on("error", () => resolve(connectionLost()));
    stream.once("response", (headers: IncomingHttpHeaders) => {
      if (headers["grpc-status"] !== undefined) resolve(errorOfTrailers(headers));
      else if (Number(headers[":status"]) !== 200)
        resolve(new GrpcError(codes.unknown, `unexpected HTTP status ${String(headers[":status"])}`));
    });
    stream.once("trailers", (trailers: IncomingHttpHeaders) => resolve(errorOfTrailers(trailers)));
    stream.once("close", () => resolve(connectionLost()));
  });
}

/** In memory of its own, which may be handed to another thread. */
function joined(chunks: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

async function* piecesOf(incoming: Incoming): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  try {
    for (let chunks = await incoming.take(); chunks; chunks = await incoming.take()) yield joined(chunks);
  } finally {
    incoming.drop();
  }
}

/** The items, then the call's error if it had one. */
async function* withOutcome<Item>(
  messages: AsyncIterable<Item>,
  outcome: Promise<GrpcError | undefined>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item> {
  try {
    yield* messages;
  } catch (error) {
    signal?.throwIfAborted();
    throw (await outcome) ?? error;
  }
  signal?.throwIfAborted();
  const error = await outcome;
  if (error) throw error;
}
