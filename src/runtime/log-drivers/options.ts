import { EngineError, messageOf } from "../../lib/errors.ts";
import { goBool } from "../../lib/go/bool.ts";
import { parseGoDuration } from "../../lib/go/duration.ts";
import { facilityNumber } from "../../lib/log-codecs/syslog.ts";
import { parseRamSize } from "../../lib/text/units.ts";
import { fluentdAddress, gelfAddress, syslogAddress } from "./addresses.ts";

/** Drivers whose lines stay in the engine's files, and those that hand them on to a service. */
const ownDrivers = ["json-file", "local", "none"] as const;
const remoteDrivers = ["fluentd", "gelf", "journald", "syslog"] as const;
const vendorDrivers: readonly string[] = ["awslogs", "gcplogs", "splunk"];

export type LogDriver = (typeof ownDrivers)[number] | (typeof remoteDrivers)[number];
export type RemoteDriver = (typeof remoteDrivers)[number];
export type LogDriverOptions = Readonly<Record<string, string>>;

export const isRemoteDriver = (type: string): type is RemoteDriver =>
  remoteDrivers.some((driver) => driver === type);
export const logDrivers: readonly LogDriver[] = [...ownDrivers, ...remoteDrivers];
/** as `info` lists them */
export const logPlugins: readonly string[] = [...remoteDrivers, "json-file", "local"].sort();

const common = ["labels", "labels-regex", "env", "env-regex", "tag"];
const rotation = ["max-size", "max-file", "compress"];
const words = (text: string): string[] => text.split(/\s+/);

const known: Readonly<Record<LogDriver, readonly string[]>> = {
  "json-file": [...rotation, ...common],
  local: rotation,
  none: [],
  journald: common,
  syslog: [
    ...common,
    ...words(`syslog-address syslog-facility syslog-format syslog-tls-ca-cert syslog-tls-cert syslog-tls-key
      syslog-tls-skip-verify`),
  ],
  gelf: [
    ...common,
    ...words(`gelf-address gelf-compression-type gelf-compression-level gelf-tcp-max-reconnect
      gelf-tcp-reconnect-delay`),
  ],
  fluentd: [
    ...common,
    ...words(`fluentd-address fluentd-async fluentd-async-reconnect-interval fluentd-buffer-limit fluentd-max-retries
      fluentd-request-ack fluentd-retry-wait fluentd-sub-second-precision fluentd-write-timeout`),
  ],
};

/** every driver takes these: how it is written to, and the copy that `logs` reads */
const universal = words("mode max-buffer-size cache-disabled cache-max-size cache-max-file cache-compress");

const invalid = (sentence: string): never => {
  throw new EngineError("invalid", sentence);
};

/** Refuses, in Docker's words, what a driver does not take. What only shows at the start is left to it, as there. */
export function validateLogOptions(type: string, options: LogDriverOptions): void {
  if (vendorDrivers.includes(type))
    throw new EngineError("notImplemented", `the log driver ${type} is not built yet`);
  const driver = logDrivers.find((name) => name === type);
  if (driver === undefined)
    throw new EngineError("invalid", `error looking up logging plugin ${type}: plugin "${type}" not found`);
  validateUniversal(options);
  if (driver === "none") return;
  if (driver === "gelf" && !options["gelf-address"]) invalid("gelf-address is a required parameter");
  for (const key of Object.keys(options)) {
    if (universal.includes(key) || known[driver].includes(key)) continue;
    if (driver === "local") invalid(`unknown log opt '${key}' for log driver local`);
    const quoted = driver === "gelf" ? JSON.stringify(key) : `'${key}'`;
    invalid(`unknown log opt ${quoted} for ${driver} log driver`);
  }
  try {
    if (driver === "syslog") validateSyslog(options);
    if (driver === "gelf") validateGelf(options);
    if (driver === "fluentd") validateFluentd(options);
  } catch (error) {
    invalid(messageOf(error));
  }
}

function validateUniversal(options: LogDriverOptions): void {
  const { mode = "", "max-buffer-size": size, "cache-disabled": disabled } = options;
  if (!["", "blocking", "non-blocking"].includes(mode))
    invalid(`logger: logging mode not supported: ${mode}`);
  if (size !== undefined && mode !== "non-blocking")
    invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  if (size !== undefined)
    try {
      parseRamSize(size);
    } catch (error) {
      invalid(`error parsing option max-buffer-size: ${messageOf(error)}`);
    }
  if (disabled !== undefined && goBool(disabled) === undefined)
    invalid(`invalid value for option cache-disabled: ${disabled}`);
}

function validateSyslog(options: LogDriverOptions): void {
  syslogAddress(options["syslog-address"]);
  const facility = options["syslog-facility"] ?? "";
  if (facility !== "" && facilityNumber(facility) === undefined) throw new Error("invalid syslog facility");
  if (!["", "rfc3164", "rfc5424", "rfc5424micro"].includes(options["syslog-format"] ?? ""))
    throw new Error("Invalid syslog format");
}

function validateGelf(options: LogDriverOptions): void {
  const { protocol } = gelfAddress(options["gelf-address"] ?? "");
  const refuse = (key: string): never => {
    throw new Error(`unknown value ${JSON.stringify(options[key])} for log opt "${key}" for gelf log driver`);
  };
  for (const key of ["gelf-compression-type", "gelf-compression-level"])
    if (options[key] !== undefined && protocol === "tcp")
      throw new Error("compression is only supported on UDP");
  if (!["gzip", "zlib", "none"].includes(options["gelf-compression-type"] ?? "none"))
    refuse("gelf-compression-type");
  if (!/^(-1|\d)$/.test(options["gelf-compression-level"] ?? "1")) refuse("gelf-compression-level");
  for (const key of ["gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"]) {
    const value = options[key];
    if (value === undefined) continue;
    if (protocol === "udp") throw new Error(`"${key}" is only valid for TCP`);
    if (!/^\+?\d+$/.test(value)) throw new Error(`"${key}" must be a positive integer`);
  }
}

function validateFluentd(options: LogDriverOptions): void {
  fluentdAddress(options["fluentd-address"]);
  const limit = options["fluentd-buffer-limit"];
  if (limit !== undefined) parseRamSize(limit);
  const wait = options["fluentd-retry-wait"];
  if (wait !== undefined) parseGoDuration(wait);
  const retries = options["fluentd-max-retries"];
  if (retries !== undefined && !/^\d+$/.test(retries))
    throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(retries)}: invalid syntax`);
  if (retries !== undefined && BigInt(retries) >= 1n << 64n)
    throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(retries)}: value out of range`);
  for (const key of ["fluentd-async", "fluentd-sub-second-precision", "fluentd-request-ack"]) {
    const value = options[key];
    if (value !== undefined && goBool(value) === undefined)
      throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  between(options, "fluentd-async-reconnect-interval", (text) => parseGoDuration(text), 100e6, 10e9);
  const timeout = options["fluentd-write-timeout"];
  if (timeout === undefined) return;
  const refused = "invalid value for fluentd-write-timeout: value must be a duration";
  let value: number;
  try {
    value = parseGoDuration(timeout);
  } catch (error) {
    throw new Error(`${refused}: ${messageOf(error)}`);
  }
  if (value < 0) throw new Error(`${refused} that is non-negative`);
}

function between(
  options: LogDriverOptions,
  key: string,
  parse: (text: string) => number,
  least: number,
  most: number,
): void {
  const text = options[key];
  if (text === undefined) return;
  let value: number;
  try {
    value = parse(text);
  } catch (error) {
    throw new Error(`invalid value for ${key}: ${messageOf(error)}`);
  }
  if (value !== 0 && (value < least || value > most))
    throw new Error(
      `invalid value for ${key}: value (${JSON.stringify(text)}) must be between 100ms and 10s`,
    );
}
