import type { LogMessage, LogSource } from "./message.ts";
import { ExtensionValue, type Packable, pack, packMapHead, packPairs } from "./msgpack.ts";

/** Writes one event; with `chunk` (base64) it asks for an acknowledgement. */
export type FluentdEncoder = (message: LogMessage, chunk?: string) => Buffer;

/**
 * Events in the forward protocol's Message mode: `[tag, time, record, option]`, the time an EventTime (nanoseconds) with
 * `subSecond`. What is the same in every event is written once.
 */
export function fluentdEncoder(source: LogSource, { subSecond }: { subSecond: boolean }): FluentdEncoder {
  const constant: Record<string, Packable> = {
    container_id: source.containerId,
    container_name: `/${source.containerName}`,
    ...source.extra,
  };
  // a label of the name of what changes with each line wins over it, as with Docker
  const shows = (key: string): boolean => !(key in constant);
  const begin = Buffer.concat([Buffer.of(0x94), pack(source.tag)]);
  const always = packPairs(constant);
  return (message, chunk) => {
    const { partial } = message;
    const changing = Object.entries<Packable>({
      source: message.stream === 2 ? "stderr" : "stdout",
      log: message.line,
      ...(partial
        ? {
            partial_message: "true",
            partial_id: partial.id,
            partial_ordinal: String(partial.ordinal),
            partial_last: String(partial.last),
          }
        : {}),
    }).filter(([key]) => shows(key));
    return Buffer.concat([
      begin,
      pack(timeOf(message.timeNs, subSecond)),
      packMapHead(Object.keys(constant).length + changing.length),
      always,
      packPairs(Object.fromEntries(changing)),
      pack(chunk === undefined ? {} : { chunk }),
    ]);
  };
}

function timeOf(ns: bigint, subSecond: boolean): number | ExtensionValue {
  const seconds = Number(ns / 1_000_000_000n);
  if (!subSecond) return seconds;
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(seconds, 0);
  bytes.writeUInt32BE(Number(ns % 1_000_000_000n), 4);
  return new ExtensionValue(0, bytes);
}

/** The server's `{"ack": chunk}`. */
export const fluentdAck = (chunk: string): Buffer => pack({ ack: chunk });
