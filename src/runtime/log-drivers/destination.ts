import type { LogMessage } from "../../lib/log-codecs/message.ts";
import type { DatagramConnection } from "./datagram-connection.ts";
import type { StreamConnection } from "./stream-connection.ts";

/** A log service, as a driver talks to it. */
export interface Destination {
  /** Connects; resolves at once when it is. Throws what is in the way, in Docker's words. */
  open(): Promise<void>;
  /** Resolves when the service (or the kernel on the way to it) has taken all; throws when that cannot be. */
  send(messages: readonly LogMessage[]): Promise<void>;
  /** what was taken in the last moments before a connection broke may be lost with it: it is told again */
  readonly unconfirmed: boolean;
  /** when the connection was found broken, by `performance.now()`; undefined while it stands */
  readonly brokenAt: number | undefined;
  close(): void;
}

export const overDatagrams = (
  connection: DatagramConnection,
  encode: (messages: readonly LogMessage[]) => Buffer[],
): Destination => ({
  unconfirmed: false,
  brokenAt: undefined,
  open: () => connection.open(),
  send: async (messages) => {
    for (const bytes of encode(messages)) await connection.send(bytes);
  },
  close: () => connection.close(),
});

export const overStream = (
  connection: StreamConnection,
  encode: (messages: readonly LogMessage[]) => Buffer[],
): Destination => ({
  unconfirmed: true,
  get brokenAt() {
    return connection.brokenAt;
  },
  open: () => connection.open(),
  send: async (messages) => {
    const bytes = Buffer.concat(encode(messages));
    if (bytes.length > 0) await connection.write(bytes);
  },
  close: () => connection.close(),
});
