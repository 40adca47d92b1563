/** Validators of single option values; messages are docker's. */

import { parseCsv } from "../../lib/go/csv.ts";
import { parseGoDuration } from "../../lib/go/duration.ts";
import { isIP } from "../../lib/net/ip.ts";
import { parseRamSize } from "../../lib/text/units.ts";
import type { DeviceMapping, DeviceRequest, RestartPolicy, ThrottleDevice, Ulimit } from "../../types/api.ts";
import type { Surroundings } from "../surroundings.ts";

const cut = (text: string, separator: string): [string, string | undefined] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
};

/** `NAME` alone takes the client's own variable, where there is one. */
export function environmentVariable(text: string, around: Surroundings): string {
  const [name, value] = cut(text, "=");
  if (name === "") throw new Error(`invalid environment variable: ${text}`);
  if (value !== undefined) return text;
  const own = around.variable(name);
  return own === undefined ? text : `${name}=${own}`;
}

export function label(text: string): string {
  const key = cut(text, "=")[0].replace(/^[ \t]+/, "");
  if (key === "") throw new Error(`invalid label '${text}': empty name`);
  if (/[ \t]/.test(key)) throw new Error(`label '${key}' contains whitespaces`);
  return text;
}

export function extraHost(text: string): string {
  const [name, address] = text.includes("=") ? cut(text, "=") : cut(text, ":");
  if (address === undefined || name === "")
    throw new Error(`bad format for add-host: ${JSON.stringify(text)}`);
  const plain = address.startsWith("[") && address.endsWith("]") ? address.slice(1, -1) : address;
  if (plain !== "host-gateway" && isIP(plain) === 0)
    throw new Error(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  return `${name}:${plain}`;
}

export function link(text: string): string {
  if (text === "") throw new Error("empty string specified for links");
  if (text.split(":").length > 2) throw new Error(`bad format for links: ${text}`);
  return text;
}

export function ipAddress(text: string): string {
  if (isIP(text.trim()) === 0) throw new Error(`IP address is not correctly formatted: ${text}`);
  return text.trim();
}

export function dnsSearch(text: string): string {
  const domain = text.trim();
  if (domain === ".") return domain;
  const match =
    /^(:?([a-zA-Z0-9]|([a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))(:?\.([a-zA-Z0-9]|([a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])))*)\.?\s*$/.exec(
      domain,
    );
  if (!match || domain.length >= 255 || !/[a-zA-Z]/.test(domain))
    throw new Error(`${text} is not a valid domain`);
  return match[1] ?? domain;
}

export function sysctl(text: string): string {
  const allowed = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
  ];
  const [name, value] = cut(text, "=");
  if (
    value !== undefined &&
    (allowed.includes(name) || name.startsWith("net.") || name.startsWith("fs.mqueue."))
  )
    return text;
  throw new Error(`sysctl '${text}' is not allowed`);
}

export function stream(text: string): string {
  const name = text.toLowerCase();
  if (!["stdin", "stdout", "stderr"].includes(name))
    throw new Error("valid streams are STDIN, STDOUT and STDERR");
  return name;
}

export function ulimit(text: string): Ulimit {
  const names = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
  ];
  const [name, limits] = cut(text, "=");
  if (limits === undefined) throw new Error(`invalid ulimit argument: ${text}`);
  if (!names.includes(name)) throw new Error(`invalid ulimit type: ${name}`);
  const parts = limits.split(":");
  if (parts.length > 2)
    throw new Error(`too many limit value arguments - ${limits}, can only have up to two, \`soft[:hard]\``);
  const [soft = 0, hard = soft] = parts.map(integer);
  if (hard !== -1 && (soft === -1 || soft > hard))
    throw new Error(
      soft === -1
        ? `ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${hard}`
        : `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`,
    );
  return { Name: name, Soft: soft, Hard: hard };
}

function integer(text: string): number {
  if (!/^[+-]?\d+$/.test(text))
    throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (BigInt.asIntN(64, BigInt(text.replace("+", ""))) !== BigInt(text.replace("+", "")))
    throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  return Number(text);
}

/** `--cpus 1.5` in billionths of a processor. */
export function nanoCpus(text: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+|\d+\/\d+)([eE][+-]?\d+)?$/.test(text))
    throw new Error(`failed to parse ${text} as a rational number`);
  const [top = "", bottom] = text.split("/");
  const nano = (Number(top) / Number(bottom ?? 1)) * 1e9;
  const whole = Math.round(nano);
  if (Math.abs(nano - whole) > 1e-3) throw new Error("value is too precise");
  return whole;
}

export const bytes = (text: string): number => parseRamSize(text);
export const bytesOrUnlimited = (text: string): number => (text === "-1" ? -1 : parseRamSize(text));
export const duration = (text: string): number => parseGoDuration(text);

export function weightDevice(text: string): { Path: string; Weight: number } {
  const [path, weight] = cut(text, ":");
  if (weight === undefined || path === "") throw new Error(`bad format: ${text}`);
  if (!path.startsWith("/dev/")) throw new Error(`bad format for device path: ${text}`);
  const value = /^\d+$/.test(weight) ? Number(weight) : Number.NaN;
  if (!(value === 0 || (value >= 10 && value <= 1000))) throw new Error(`invalid weight for device: ${text}`);
  return { Path: path, Weight: value };
}

function throttle(text: string, rate: (text: string) => number, format: string): ThrottleDevice {
  const [path, value] = cut(text, ":");
  if (value === undefined || path === "") throw new Error(`bad format: ${text}`);
  if (!path.startsWith("/dev/")) throw new Error(`bad format for device path: ${text}`);
  try {
    return { Path: path, Rate: rate(value) };
  } catch {
    throw new Error(`invalid rate for device: ${text}. The correct format is ${format}`); // docker's sentence says it all
  }
}

export const throttleBps = (text: string): ThrottleDevice =>
  throttle(
    text,
    parseRamSize,
    "<device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb",
  );

export const throttleIops = (text: string): ThrottleDevice =>
  throttle(
    text,
    (rate) => (/^\d+$/.test(rate) ? Number(rate) : integer("")),
    "<device-path>:<number>. Number must be a positive integer",
  );

export function deviceCgroupRule(text: string): string {
  if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text))
    throw new Error(`invalid device cgroup format '${text}'`);
  return text;
}

const isDeviceMode = (mode: string): boolean => /^[rwm]+$/.test(mode) && new Set(mode).size === mode.length;

/** `--device SRC[:DST[:rwm]]`. */
export function device(text: string): DeviceMapping {
  const parts = text.split(":");
  if (text === "" || parts.length > 3) throw new Error(`bad format for path: ${text}`);
  const [source = "", second, third] = parts;
  if (source === "") throw new Error(`bad format for path: ${text}`);
  const secondIsMode = second !== undefined && third === undefined && isDeviceMode(second);
  const target = second === undefined || secondIsMode ? source : second;
  if (!target.startsWith("/")) throw new Error(`${target} is not an absolute path`);
  const mode = secondIsMode ? second : (third ?? "rwm");
  if (!isDeviceMode(mode)) throw new Error(`bad mode specified: ${mode}`);
  return { PathOnHost: source, PathInContainer: target, CgroupPermissions: mode };
}

/** `vendor.com/class=name` names a device by the Container Device Interface. */
export const isCdiName = (text: string): boolean =>
  /^[a-zA-Z][\w.-]*\/[a-zA-Z][\w.-]*=[\w][\w.:-]*$/.test(text);

export function restartPolicy(text: string): RestartPolicy {
  const [name, count] = cut(text, ":");
  if (count !== undefined && name === "")
    throw new Error("invalid restart policy format: no policy provided before colon");
  if (count && !/^[+-]?\d+$/.test(count))
    throw new Error("invalid restart policy format: maximum retry count must be an integer");
  return { Name: name as RestartPolicy["Name"], MaximumRetryCount: Number(count || 0) };
}

/** `--gpus all`, `2`, `"device=0,1","capabilities=compute"`. */
export function gpuRequest(text: string): DeviceRequest {
  if (text === "") throw new Error("EOF");
  const request: DeviceRequest = {
    Driver: "",
    Count: 0,
    DeviceIDs: null,
    Capabilities: [["gpu"]],
    Options: {},
  };
  const seen = new Set<string>();
  for (const field of parseCsv(text)) {
    const [key, value] = cut(field, "=");
    const name = value === undefined ? "count" : key;
    if (seen.has(name)) throw new Error(`gpu request key '${name}' can be specified only once`);
    seen.add(name);
    if (name === "count") request.Count = gpuCount(value ?? key);
    else if (name === "driver") request.Driver = value ?? "";
    else if (name === "device") request.DeviceIDs = (value ?? "").split(",");
    else if (name === "capabilities") request.Capabilities = [[...(value ?? "").split(","), "gpu"]];
    else if (name === "options")
      request.Options = Object.fromEntries(
        parseCsv(value ?? "").map((option) => [cut(option, "=")[0], cut(option, "=")[1] ?? ""]),
      );
    else throw new Error(`unexpected key '${key}' in '${field}'`);
  }
  if (!seen.has("count") && !seen.has("device")) request.Count = 1;
  return request;
}

function gpuCount(text: string): number {
  if (text === "all") return -1;
  if (!/^[+-]?\d+$/.test(text))
    throw new Error(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`);
  return Number(text);
}
