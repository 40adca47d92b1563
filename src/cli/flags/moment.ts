import { nowNs } from "../../lib/time/time.ts";
import { parseTimestamp } from "../../lib/time/timestamp.ts";
import { CliError } from "../errors.ts";

/** `--since` and `--until` as the engine takes them: seconds and nanoseconds since the epoch. */
export function moment(text: string, option: string): string | undefined {
  if (text === "") return undefined;
  if (/^\d+(\.\d{1,9})?$/.test(text)) return text;
  let ns: bigint;
  try {
    ns = parseTimestamp(text, nowNs());
  } catch (error) {
    throw new CliError(
      option === "" ? (error as Error).message : `invalid value for "${option}": ${(error as Error).message}`,
    );
  }
  return `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, "0")}`;
}
