import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { Logger } from "../../lib/log.ts";
import { frame } from "./frames.ts";
import { Incoming, messagesOf } from "./incoming.ts";
import { metadataOf } from "./metadata.ts";
import type { Methods } from "./method.ts";
import { codes, GrpcError, toGrpcError, trailersOf } from "./status.ts";

const settings = { initialWindowSize: 1024 * 1024, maxConcurrentStreams: 128, maxHeaderListSize: 64 * 1024 };

/**
 * gRPC over HTTP/2 with prior knowledge, on connections that are already open. One server takes any number of them;
 * whatever a client does wrong ends its own call or connection.
 */
export class GrpcServer {
  private readonly methods: Methods;
  private readonly logger: Logger;
  private readonly server = http2.createServer({ settings });
  private readonly sessions = new Set<ServerHttp2Session>();

  constructor(methods: Methods, logger: Logger) {
    this.methods = methods;
    this.logger = logger;
    this.server.on("session", (session) => {
      this.sessions.add(session);
      session.once("close", () => this.sessions.delete(session));
    });
    // A client that leaves without a word is no fault of ours: its calls end by their streams.
    this.server.on("sessionError", (error: Error) => logger.debug("grpc session", { error: error.message }));
    this.server.on("stream", (stream, headers, _flags, raw) =>
      this.onStream(stream as ServerHttp2Stream, headers, raw),
    );
  }

  /** Takes over a connection whose client will speak first. */
  serve(socket: Duplex): void {
    this.server.emit("connection", socket);
  }

  close(): void {
    for (const session of this.sessions) session.destroy();
  }

  private onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: string[]): void {
    const ended = new AbortController();
    stream.on("error", (error: Error) => this.logger.debug("grpc stream", { error: error.message }));
    stream.once("close", () => ended.abort(new GrpcError(codes.canceled, "context canceled")));
    const path = headers[":path"] ?? "";
    const method = this.methods.get(path);
    if (headers[":method"] !== "POST" || !headers["content-type"]?.startsWith("application/grpc")) {
      stream.respond({ ":status": 415 }, { endStream: true });
      return;
    }
    if (!method) {
      refuse(stream, new GrpcError(codes.unimplemented, unknownPath(path, this.methods)));
      return;
    }
    const answers = method(messagesOf(new Incoming(stream)), {
      metadata: metadataOf(raw),
      signal: ended.signal,
    });
    void this.answer(stream, answers, path);
  }

  private async answer(
    stream: ServerHttp2Stream,
    answers: AsyncIterable<Uint8Array>,
    path: string,
  ): Promise<void> {
    let failure: GrpcError | undefined;
    let begun = false;
    const begin = (): void => {
      begun = true;
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers(trailersOf(failure)));
    };
    try {
      for await (const message of answers) {
        if (!begun) begin();
        await write(stream, frame(message));
      }
    } catch (error) {
      failure = toGrpcError(error);
      this.logger.debug("grpc call failed", { path, error: failure.message });
    }
    if (stream.destroyed) return;
    if (begun) stream.end();
    else refuse(stream, failure);
  }
}

/** The whole answer in its headers: Bun's HTTP/2 loses the trailers of one without a body at times. */
function refuse(stream: ServerHttp2Stream, error: GrpcError | undefined): void {
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", ...trailersOf(error) },
    { endStream: true },
  );
}

function unknownPath(path: string, methods: Methods): string {
  const [, service = "", name = ""] = path.split("/");
  const known = [...methods.keys()].some((key) => key.startsWith(`/${service}/`));
  return known ? `unknown method ${name} for service ${service}` : `unknown service ${service}`;
}

/** Writes and waits while the other side cannot take more. Throws `canceled` once it is gone. */
export async function write(
  stream: NodeJS.WritableStream & { destroyed?: boolean },
  bytes: Uint8Array,
): Promise<void> {
  if (stream.destroyed) throw new GrpcError(codes.canceled, "context canceled");
  if (stream.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.once("drain", done);
    stream.once("close", done);
  });
}
