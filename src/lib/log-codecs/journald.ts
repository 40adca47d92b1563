import { formatNs } from "../time/time.ts";
import { type LogMessage, type LogSource, severityOf } from "./message.ts";

/** An entry in journald's native protocol: fields by line, or by length where a value holds a newline. */
export function encodeJournald(message: LogMessage, source: LogSource): Buffer {
  const { partial } = message;
  const fields: [string, string | Uint8Array][] = [
    ["PRIORITY", String(severityOf(message))],
    ["CONTAINER_ID", source.containerId.slice(0, 12)],
    ["CONTAINER_ID_FULL", source.containerId],
    ["CONTAINER_NAME", source.containerName],
    ["CONTAINER_TAG", source.tag],
    ["IMAGE_NAME", source.imageName],
    ["SYSLOG_IDENTIFIER", source.tag],
    ["SYSLOG_TIMESTAMP", formatNs(message.timeNs)],
    ...Object.entries(source.extra).map(([key, value]): [string, string] => [journaldName(key), value]),
    ...(partial
      ? ([
          ["CONTAINER_PARTIAL_MESSAGE", partial.last ? "" : "true"],
          ["CONTAINER_PARTIAL_ID", partial.id],
          ["CONTAINER_PARTIAL_ORDINAL", String(partial.ordinal)],
          ["CONTAINER_PARTIAL_LAST", String(partial.last)],
        ] as [string, string][])
      : []),
    ["MESSAGE", message.line],
  ];
  return Buffer.concat(
    fields.flatMap(([name, value]) => (name && value.length > 0 ? field(name, value) : [])),
  );
}

/** A field's name as journald takes it: upper case, digits and underscores, no underscore or digit first. */
export const journaldName = (key: string): string =>
  key
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, "_")
    .replace(/^[_0-9]+/, "")
    .slice(0, 64);

function field(name: string, value: string | Uint8Array): Buffer[] {
  const bytes = typeof value === "string" ? Buffer.from(value) : Buffer.from(value);
  if (!bytes.includes(0x0a)) return [Buffer.from(`${name}=`), bytes, newline];
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(bytes.length));
  return [Buffer.from(`${name}\n`), size, bytes, newline];
}

const newline = Buffer.from("\n");
