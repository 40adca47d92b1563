import type { HealthConfig } from "../../types/oci.ts";
import { EngineError, messageOf } from "../errors.ts";
import { parseGoDuration } from "../go/duration.ts";
import type { ParsedInstruction } from "./ast.ts";
import { Flags } from "./flags.ts";

/** `HEALTHCHECK [--interval=…] CMD …` and `HEALTHCHECK NONE`; durations in nanoseconds. Errors are `invalid`. */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

const durations = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
} as const;

const flagKinds = {
  interval: "text",
  timeout: "text",
  "start-period": "text",
  "start-interval": "text",
  retries: "text",
} as const;

/** `json` reads an argument in JSON form; undefined for one in shell form. */
export function decodeHealthcheck(
  { rest, flags }: ParsedInstruction,
  json: (text: string) => string[] | undefined,
): HealthConfig {
  if (rest === "") throw invalid("HEALTHCHECK requires at least one argument");
  const kind = /^\S+/.exec(rest)?.[0] ?? "";
  const command = rest.slice(kind.length).trim();
  const words = json(command);
  if (kind.toUpperCase() === "NONE") {
    if (words ? words.length > 0 : command !== "") throw invalid("HEALTHCHECK NONE takes no arguments");
    return { Test: ["NONE"] };
  }
  const values = new Flags(flags, flagKinds);
  if (kind.toUpperCase() !== "CMD")
    throw invalid(`Unknown type ${JSON.stringify(kind.toUpperCase())} in HEALTHCHECK (try CMD)`);
  if (words ? words.length === 0 : command === "") throw invalid("Missing command after HEALTHCHECK CMD");
  const test = words ? ["CMD", ...words] : ["CMD-SHELL", command];
  return { Test: test, ...timesOf(values), ...retriesOf(values.text("retries")) };
}

const leastNs = 1_000_000;

function timesOf(values: Flags): Partial<HealthConfig> {
  const times: Partial<HealthConfig> = {};
  for (const [flag, field] of Object.entries(durations)) {
    const text = values.text(flag);
    if (text === "") continue;
    const ns = durationOf(text);
    if (ns !== 0 && ns < leastNs) throw invalid(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`);
    if (ns !== 0) times[field] = ns;
  }
  return times;
}

function durationOf(text: string): number {
  try {
    return parseGoDuration(text);
  } catch (error) {
    throw invalid(messageOf(error));
  }
}

function retriesOf(text: string): { Retries?: number } {
  if (text === "") return {};
  if (!/^[+-]?\d{1,9}$/.test(text))
    throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const retries = Number(text);
  if (retries < 0) throw invalid(`--retries cannot be negative (${retries})`);
  return retries === 0 ? {} : { Retries: retries };
}
