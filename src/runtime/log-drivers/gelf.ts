import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { deflate, gzip } from "node:zlib";
import { gelfDatagrams, gelfEncoder } from "../../lib/log-codecs/gelf.ts";
import type { LogMessage, LogSource } from "../../lib/log-codecs/message.ts";
import { gelfAddress } from "./addresses.ts";
import { UdpConnection } from "./datagram-connection.ts";
import { type Destination, overStream } from "./destination.ts";
import type { LogDriverOptions } from "./options.ts";
import { StreamConnection } from "./stream-connection.ts";

const end = Buffer.of(0);

export function openGelf(source: LogSource, options: LogDriverOptions): Destination {
  const address = gelfAddress(options["gelf-address"] ?? "");
  const { protocol, host, port } = address;
  const said = (messages: readonly LogMessage[]): LogMessage[] =>
    messages.filter(({ line }) => line.length > 0);
  const encode = gelfEncoder(source);
  if (protocol === "tcp") {
    const stream = overStream(new StreamConnection({ protocol, host, port }), (messages) =>
      said(messages).flatMap((message) => [encode(message), end]),
    );
    return withOpen(stream, `gelf: cannot connect to GELF endpoint: ${host}:${port}`);
  }
  const connection = new UdpConnection(host, port);
  const compress = compressor(options);
  return {
    unconfirmed: false,
    brokenAt: undefined,
    open: () => connection.open(),
    send: async (messages) => {
      for (const message of said(messages)) {
        const payload = await compress(encode(message));
        // a line of 16 KiB always fits the 128 chunks; with huge labels it may not, and then nothing can carry it
        for (const bytes of gelfDatagrams(payload, randomBytes(8)) ?? []) await connection.send(bytes);
      }
    },
    close: () => connection.close(),
  };
}

function withOpen(destination: Destination, doing: string): Destination {
  return {
    unconfirmed: destination.unconfirmed,
    get brokenAt() {
      return destination.brokenAt;
    },
    open: () =>
      destination.open().catch((error: Error) => {
        throw new Error(`${doing} ${error.message}`, { cause: error });
      }),
    send: (messages) => destination.send(messages),
    close: () => destination.close(),
  };
}

function compressor(options: LogDriverOptions): (bytes: Buffer) => Promise<Buffer> {
  const type = options["gelf-compression-type"] ?? "gzip";
  const level = Number(options["gelf-compression-level"] ?? "1");
  if (type === "none") return async (bytes) => bytes;
  const work = promisify<Buffer, { level: number }, Buffer>(type === "zlib" ? deflate : gzip);
  return (bytes) => work(bytes, { level });
}
