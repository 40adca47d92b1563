import { EngineError, messageOf } from "../../lib/errors.ts";
import { parseRamSize } from "../../lib/text/units.ts";
import { controlFlags, type DaemonOption, daemonOptions, isUnsupportedFlag } from "./daemon-options.ts";
import { parsePair, parsePool, parseUlimit, type Values } from "./daemon-values.ts";

/** What a command line of `berth daemon` says. */
export interface DaemonFlags {
  values: Values;
  configFile: string | undefined;
  validate: boolean;
  help: boolean;
  version: boolean;
}

const byFlag = new Map(
  daemonOptions.flatMap((option) => (option.flag ? [[option.flag, option] as const] : [])),
);
const byShort = new Map(
  daemonOptions.flatMap((option) => (option.short ? [[option.short, option] as const] : [])),
);

const invalid = (sentence: string): EngineError => new EngineError("invalid", sentence);

/** Flags as Go programs take them: `--name value`, `--name=value`, `-x value`, `-xvalue`; booleans alone or `=false`. */
export function parseDaemonFlags(argv: readonly string[]): DaemonFlags {
  const flags: DaemonFlags = {
    values: new Map(),
    configFile: undefined,
    validate: false,
    help: false,
    version: false,
  };
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--") break;
    if (!word.startsWith("-") || word === "-") throw invalid(`unknown argument: ${word}`);
    const { name, value } = word.startsWith("--") ? splitLong(word) : splitShort(word);
    if (takeControl(flags, name, value, words)) continue;
    const option = word.startsWith("--") ? byFlag.get(name) : byShort.get(name);
    if (!option) throw unknown(word, name);
    add(flags.values, option, value ?? (option.type === "bool" ? "true" : needValue(name, words)), name);
  }
  if (words.length > 0) throw invalid(`unknown argument: ${words[0]}`);
  return flags;
}

function splitLong(word: string): { name: string; value: string | undefined } {
  const equals = word.indexOf("=");
  if (equals < 0) return { name: word.slice(2), value: undefined };
  return { name: word.slice(2, equals), value: word.slice(equals + 1) };
}

function splitShort(word: string): { name: string; value: string | undefined } {
  const rest = word.slice(2).replace(/^=/, "");
  return { name: word.slice(1, 2), value: rest === "" ? undefined : rest };
}

function unknown(word: string, name: string): EngineError {
  if (!word.startsWith("--")) return invalid(`unknown shorthand flag: '${name}' in ${word}`);
  if (isUnsupportedFlag(name))
    return new EngineError("notImplemented", `--${name} is not supported by berth yet`);
  return invalid(`unknown flag: --${name}`);
}

function takeControl(flags: DaemonFlags, name: string, value: string | undefined, words: string[]): boolean {
  if (name === "h") flags.help = true;
  else if (name === "v") flags.version = true;
  else if (name === "config-file") flags.configFile = value ?? needValue(name, words);
  else if (name === "validate" || name === "help" || name === "version")
    flags[name] = parseBool(value ?? "true", `--${name}`);
  else return Object.hasOwn(controlFlags, name);
  return true;
}

function needValue(name: string, words: string[]): string {
  const value = words.shift();
  if (value === undefined)
    throw invalid(`flag needs an argument: ${name.length === 1 ? `'${name}' in -${name}` : `--${name}`}`);
  return value;
}

function parseBool(text: string, flag: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw badArgument(text, flag, `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

const badArgument = (value: string, flag: string, why: string): EngineError =>
  invalid(`invalid argument ${JSON.stringify(value)} for "${flag}" flag: ${why}`);

function add(values: Values, option: DaemonOption, text: string, name: string): void {
  const flag = option.short ? `-${option.short}, --${option.flag}` : `--${name}`;
  try {
    values.set(option.key, grow(values.get(option.key), option, text, flag));
  } catch (error) {
    if (messageOf(error).startsWith("invalid argument ")) throw error;
    throw badArgument(text, flag, messageOf(error));
  }
}

/** The option's value after one more use of its flag. */
function grow(before: unknown, { type }: DaemonOption, text: string, flag: string): unknown {
  switch (type) {
    case "bool":
      return parseBool(text, flag);
    case "int":
      if (!/^[-+]?\d+$/.test(text))
        throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
      return Number(text);
    case "string":
      return text;
    case "strings":
      return [...((before as string[] | undefined) ?? []), text];
    case "size":
      return parseRamSize(text);
    case "map":
    case "runtimes": {
      const [key, value] = parsePair(text);
      return { ...((before as Record<string, string> | undefined) ?? {}), [key]: value };
    }
    case "ulimits":
      return [...((before as unknown[] | undefined) ?? []), parseUlimit(text)];
    case "mirrors":
      return growMirrors((before as Record<string, string[]> | undefined) ?? {}, text);
    case "networkOptions":
      return growNetworkOptions((before as Record<string, Record<string, string>> | undefined) ?? {}, text);
    case "gc":
    case "proxies":
      throw invalid("it has no flag");
    case "pools":
      return [...((before as unknown[] | undefined) ?? []), parsePool(text)];
  }
}

/** `DRIVER=OPTION=VALUE` */
function growNetworkOptions(
  before: Record<string, Record<string, string>>,
  text: string,
): Record<string, Record<string, string>> {
  const [driver, rest] = parsePair(text);
  const [key, value] = parsePair(rest);
  return { ...before, [driver]: { ...before[driver], [key]: value } };
}

/** `URL` of a mirror of the Hub, or `REGISTRY=URL`. */
function growMirrors(before: Record<string, string[]>, text: string): Record<string, string[]> {
  const [, host = "docker.io", url = text] = /^([^=/]+)=(https?:.*)$/.exec(text) ?? [];
  return { ...before, [host]: [...(before[host] ?? []), url] };
}

/** The text of `berth daemon --help`. */
export function daemonHelp(): string {
  const options = daemonOptions
    .filter(({ flag }) => flag)
    .map((option): [string, string] => [
      `${option.short ? `-${option.short}, ` : "    "}--${option.flag}${valueName(option)}`,
      option.help,
    ]);
  const controls = Object.entries(controlFlags).map(([flag, help]): [string, string] => [
    `    --${flag}${flag === "config-file" ? " string" : ""}`,
    help,
  ]);
  const rows = [...options, ...controls].sort(([a], [b]) => (a.slice(4) < b.slice(4) ? -1 : 1));
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, help]) => `  ${left.padEnd(width)}   ${help}\n`);
  return `\nUsage:  berth daemon [OPTIONS]\n\nThe engine: runs containers and serves the Docker Engine API\n\nOptions:\n${lines.join("")}`;
}

function valueName({ type }: DaemonOption): string {
  if (type === "bool") return "";
  return { int: " int", string: " string", size: " bytes", map: " map" }[type as string] ?? " list";
}
