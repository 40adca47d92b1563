import { EngineError, messageOf } from "../errors.ts";
import { durationNs } from "../go/duration.ts";
import { parseGoTime } from "./go-time.ts";

/**
 * A moment as users write it in `since`, `until` and their filters, in nanoseconds since the epoch: Unix seconds with
 * a fraction, an RFC 3339 time or the beginning of one, or a Go duration back from now (`10m`, `1h30m`). Which of them
 * a text is meant to be is told as Docker tells it (its `timestamp.GetTimestamp`).
 */
export function parseTimestamp(text: string, nowNs: bigint): bigint {
  const duration = text === "0" ? undefined : durationNs(text);
  if (duration !== undefined) return nowNs - duration;
  try {
    return parseGoTime(layoutOf(text), text);
  } catch (error) {
    // with a dash it was to be a date; without, it may be a number
    if (text.includes("-")) throw new EngineError("invalid", messageOf(error), { cause: error });
  }
  const unix = /^(\d{1,12})(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (unix) return BigInt(unix[1] ?? "0") * 1_000_000_000n + BigInt((unix[2] ?? "").padEnd(9, "0"));
  throw new EngineError("invalid", `failed to parse value as time or duration: ${JSON.stringify(text)}`);
}

/** The layout that a text is read by: as much of `2006-01-02T15:04:05.999999999Z07:00` as it seems to have. */
function layoutOf(text: string): string {
  const count = (character: string): number => text.split(character).length - 1;
  const local = !/[zZ+]/.test(text) && count("-") !== 3;
  const zone = local ? "" : "Z07:00";
  if (text.includes(".")) return `2006-01-02T15:04:05.999999999${zone}`;
  if (!text.includes("T")) return `2006-01-02${zone}`;
  // a numeric zone has a colon of its own
  const colons = count(":") - (local || /[zZ]/.test(text) ? 0 : 1);
  return `2006-01-02T15${colons <= 0 ? "" : colons === 1 ? ":04" : ":04:05"}${zone}`;
}
