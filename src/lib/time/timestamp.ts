import { EngineError } from "../errors.ts";
import { durationNs } from "../go/duration.ts";

/**
 * A moment as users write it in `since`, `until` and their filters, in nanoseconds since the epoch: Unix seconds with
 * a fraction, an RFC 3339 time or the beginning of one, or a Go duration back from now (`10m`, `1h30m`).
 */
export function parseTimestamp(text: string, nowNs: bigint): bigint {
  const duration = durationNs(text);
  if (duration !== undefined) return nowNs - duration;
  const unix = /^(-?\d{1,12})(?:\.(\d{1,9})\d*)?$/.exec(text);
  // four digits alone are a year
  if (unix && !/^\d{4}$/.test(text))
    return BigInt(unix[1] ?? "0") * 1_000_000_000n + BigInt((unix[2] ?? "").padEnd(9, "0"));
  const time = parseTime(text);
  if (time !== undefined) return time;
  throw new EngineError("invalid", `failed to parse value as time or duration: ${JSON.stringify(text)}`);
}

const shape =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?)?)?(Z|[+-]\d\d:\d\d)?$/;

function parseTime(text: string): bigint | undefined {
  const match = shape.exec(text);
  if (!match) return undefined;
  const [
    ,
    year = "",
    month = "01",
    day = "01",
    hour = "00",
    minute = "00",
    second = "00",
    fraction = "",
    zone = "",
  ] = match;
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  if (Number.isNaN(milliseconds)) return undefined;
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
