import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Session } from "../containers/contract.ts";
import type { Reply } from "./reply.ts";
import { type CommonHeaders, headText, pour } from "./send.ts";

/**
 * A connection taken over by an attach or exec. Both directions go at the pace of their slower end; the client's half
 * close is the process's end of input, after which output still flows; the end of output ends the connection; a client
 * that vanishes lets the session go.
 */
export async function hijack(
  socket: Duplex,
  upgraded: boolean,
  { contentType, session, protocol = "tcp", last, named }: Reply & { kind: "hijack" },
  common: CommonHeaders,
): Promise<void> {
  socket.on("error", ignoreReset);
  const names = named ? common : {};
  socket.write(
    upgraded
      ? headText(
          101,
          { "Content-Type": contentType, Connection: "Upgrade", Upgrade: protocol, ...names },
          "UPGRADED",
        )
      : headText(200, { "Content-Type": contentType, ...names }),
  );
  const input = new Input(socket, session);
  socket.once("close", () => session.close());
  try {
    await pour(session.output, socket);
    if (last && !socket.destroyed) socket.write(last());
  } finally {
    input.stop();
    session.close();
    if (upgraded) socket.end();
    else endRequest(socket);
  }
}

/** `end` of a connection that is still a request's is forgotten by Bun 1.4.5 where bytes are on their way: the client waits on. */
function endRequest(socket: Duplex): void {
  if (socket instanceof Socket) socket.destroySoon();
  else socket.end();
}

/** The client left: `close` follows and frees everything. */
function ignoreReset(): void {
  return;
}

/** What the client types, one piece at a time: the socket is paused while a piece is on its way. */
class Input {
  private readonly socket: Duplex;
  private readonly session: Session;
  private tail: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(socket: Duplex, session: Session) {
    this.socket = socket;
    this.session = session;
    socket.on("data", this.onData);
    socket.on("end", this.onEnd);
    socket.resume();
  }

  stop(): void {
    this.stopped = true;
    this.socket.off("data", this.onData);
    this.socket.off("end", this.onEnd);
    // What still comes is dropped, so that the client's close is seen.
    this.socket.resume();
  }

  private readonly onData = (bytes: Uint8Array): void => {
    this.socket.pause();
    this.queue(
      () => this.session.write(bytes),
      () => this.socket.resume(),
    );
  };

  private readonly onEnd = (): void => {
    this.queue(() => this.session.closeStdin());
  };

  /** A write that fails means the process no longer reads: input is dropped and output goes on to its end. */
  private queue(act: () => Promise<void>, after?: () => void): void {
    this.tail = this.tail
      .then(() => (this.stopped ? undefined : act()))
      .catch(() => this.stop())
      .then(after);
  }
}
