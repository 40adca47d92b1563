import type { LogMessage, LogSource } from "./message.ts";
import { ExtensionValue, type Packable, pack } from "./msgpack.ts";

export interface FluentdOptions {
  /** EventTime (nanoseconds) instead of whole seconds */
  subSecond: boolean;
  /** asks for an acknowledgement of this entry: base64 */
  chunk?: string;
}

/** An event in the forward protocol's Message mode: `[tag, time, record, option]`. */
export function encodeFluentd(message: LogMessage, source: LogSource, options: FluentdOptions): Buffer {
  const { partial } = message;
  const record: Record<string, Packable> = {
    container_id: source.containerId,
    container_name: `/${source.containerName}`,
    source: message.stream === 2 ? "stderr" : "stdout",
    log: message.line,
    ...source.extra,
    ...(partial
      ? {
          partial_message: "true",
          partial_id: partial.id,
          partial_ordinal: String(partial.ordinal),
          partial_last: String(partial.last),
        }
      : {}),
  };
  const option: Record<string, Packable> = options.chunk === undefined ? {} : { chunk: options.chunk };
  return pack([source.tag, timeOf(message.timeNs, options.subSecond), record, option]);
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
