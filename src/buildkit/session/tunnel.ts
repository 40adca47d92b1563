import { Duplex } from "node:stream";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import type { CallContext } from "../grpc/method.ts";
import { AsyncQueue } from "../grpc/queue.ts";
import { bytesMessage } from "../messages/session.ts";
import type { Sessions } from "./sessions.ts";

const header = "x-docker-expose-session-";

/**
 * A session within a call: what `POST /session` does with a connection of its own, as clients do it that have only the one
 * they call on. The call lasts as long as the session.
 */
export async function* tunnelSession(
  sessions: Sessions,
  messages: AsyncIterable<Uint8Array>,
  { metadata, signal }: CallContext,
): AsyncGenerator<Uint8Array> {
  const out = new AsyncQueue<Uint8Array>();
  const connection = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      out.push(encode(bytesMessage, { data: chunk }));
      if (!out.full) done();
      else out.onDrained = () => done();
    },
    final: (done) => {
      out.end();
      done();
    },
    destroy: (error, done) => {
      out.end();
      done(error);
    },
  });
  connection.on("error", () => connection.destroy());
  signal.addEventListener("abort", () => connection.destroy(), { once: true });
  const first = (name: string): string => metadata.get(header + name)?.[0] ?? "";
  const methods = new Set(metadata.get(`${header}grpc-method`) ?? []);
  sessions.add({ id: first("uuid"), sharedKey: first("sharedkey"), methods }, connection);
  void feed(messages, connection);
  yield* out;
}

async function feed(messages: AsyncIterable<Uint8Array>, connection: Duplex): Promise<void> {
  try {
    for await (const message of messages) connection.push(decode(bytesMessage, message).data);
  } catch {
    // the call has ended without a word
  } finally {
    // the session ends with its client's half: it waits for ours
    connection.destroy();
  }
}
