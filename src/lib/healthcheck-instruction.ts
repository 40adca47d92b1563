import type { HealthConfig } from "../types/oci.ts";
import { type Instruction, stringArray } from "./dockerfile-instructions.ts";
import { EngineError } from "./errors.ts";
import { parseDuration } from "./timestamp.ts";

/** `HEALTHCHECK [--interval=…] CMD …` and `HEALTHCHECK NONE`; durations in nanoseconds. Errors are `invalid`. */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

const durations = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
} as const;

export function parseHealthcheck({ rest, flags }: Instruction): HealthConfig {
  if (rest === "") throw invalid("HEALTHCHECK requires at least one argument");
  const kind = /^\S+/.exec(rest)?.[0] ?? "";
  const command = rest.slice(kind.length).trim();
  if (kind.toUpperCase() === "NONE") {
    if (command !== "") throw invalid("HEALTHCHECK NONE takes no arguments");
    return { Test: ["NONE"] };
  }
  const values = parseFlags(flags);
  if (kind.toUpperCase() !== "CMD")
    throw invalid(`Unknown type ${JSON.stringify(kind.toUpperCase())} in HEALTHCHECK (try CMD)`);
  return { Test: testOf(command), ...timesOf(values), ...retriesOf(values.get("retries")) };
}

function testOf(command: string): string[] {
  const json = stringArray(command);
  if (json ? json.length === 0 : command === "") throw invalid("Missing command after HEALTHCHECK CMD");
  return json ? ["CMD", ...json] : ["CMD-SHELL", command];
}

function parseFlags(flags: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const flag of flags) {
    const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(flag) ?? [];
    if (!Object.hasOwn(durations, name) && name !== "retries") throw invalid(`unknown flag: --${name}`);
    if (values.has(name)) throw invalid(`duplicate flag specified: --${name}`);
    if (value === undefined) throw invalid(`missing a value on flag: --${name}`);
    values.set(name, value);
  }
  return values;
}

const leastNs = 1_000_000n;

function timesOf(values: Map<string, string>): Partial<HealthConfig> {
  const times: Partial<HealthConfig> = {};
  for (const [flag, field] of Object.entries(durations)) {
    const text = values.get(flag);
    if (text === undefined || text === "") continue;
    const ns = durationOf(text);
    if (ns !== 0n && ns < leastNs) throw invalid(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`);
    if (ns !== 0n) times[field] = Number(ns);
  }
  return times;
}

function durationOf(text: string): bigint {
  const ns = parseDuration(text);
  if (ns !== undefined) return ns;
  const missingUnit = /^[+-]?\d+\.?\d*$/.test(text);
  throw invalid(
    `time: ${missingUnit ? "missing unit in duration" : "invalid duration"} ${JSON.stringify(text)}`,
  );
}

function retriesOf(text: string | undefined): { Retries?: number } {
  if (text === undefined || text === "") return {};
  if (!/^[+-]?\d{1,9}$/.test(text))
    throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const retries = Number(text);
  if (retries < 0) throw invalid(`--retries cannot be negative (${retries})`);
  return retries === 0 ? {} : { Retries: retries };
}
