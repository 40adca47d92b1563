import { type LogMessage, type LogSource, severityOf } from "./message.ts";

/**
 * Writes GELF 1.1 messages as JSON; binary bytes of the line become U+FFFD, as JSON has no others. All but the line and
 * its time is written once.
 */
export function gelfEncoder(source: LogSource): (message: LogMessage) => Buffer {
  const extra: Record<string, string> = {
    container_id: source.containerId,
    container_name: source.containerName,
    image_id: source.imageId,
    image_name: source.imageName,
    command: source.command,
    tag: source.tag,
    created: source.created,
    ...source.extra,
  };
  const fields = Object.entries(extra).map(([key, value]): [string, string] => [`_${key}`, value]);
  fields.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const before = `{"version":"1.1","host":${JSON.stringify(source.hostname)},"short_message":`;
  const after = JSON.stringify(Object.fromEntries(fields)).slice(1);
  return (message) => {
    const text = JSON.stringify(Buffer.from(message.line).toString());
    const time = Number(message.timeNs / 1_000_000n) / 1000;
    return Buffer.from(`${before}${text},"timestamp":${time},"level":${severityOf(message)},${after}`);
  };
}

/** what one datagram carries without being split by IP on the way */
const datagramSize = 1420;
const chunkHeaderSize = 12;
const chunksMax = 128;

/**
 * A payload as datagrams: itself, or GELF chunks (1e 0f, an id of 8 bytes, number, count). Undefined when it needs more
 * than the 128 chunks there may be.
 */
export function gelfDatagrams(payload: Buffer, id: Buffer): Buffer[] | undefined {
  if (payload.length <= datagramSize) return [payload];
  const size = datagramSize - chunkHeaderSize;
  const count = Math.ceil(payload.length / size);
  if (count > chunksMax) return undefined;
  return Array.from({ length: count }, (_, index) =>
    Buffer.concat([
      Buffer.from([0x1e, 0x0f]),
      id,
      Buffer.from([index, count]),
      payload.subarray(index * size, (index + 1) * size),
    ]),
  );
}
