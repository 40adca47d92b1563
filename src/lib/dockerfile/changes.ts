import type { ImageRunConfig } from "../../types/oci.ts";
import { signalNumber } from "../container/signals.ts";
import { EngineError, isKind } from "../errors.ts";
import { parseRange } from "../net/ports.ts";
import type { Pair } from "./arguments.ts";
import type { ParsedInstruction } from "./ast.ts";
import { decode } from "./decode.ts";
import type { CommandLine, Instruction } from "./instruction.ts";
import { parseDockerfile } from "./parse.ts";
import { type Environment, expandWord, expandWords } from "./words.ts";

/**
 * `--change` of import and commit: the Dockerfile instructions that only touch a configuration, with Docker's rules
 * and sentences, which differ from a build's in places. All errors are of kind `invalid`.
 */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

const allowed = new Set([
  ...["cmd", "entrypoint", "env", "expose", "healthcheck", "label", "onbuild", "stopsignal", "user"],
  ...["volume", "workdir"],
]);

const defaultShell = ["/bin/sh", "-c"];

/** Applies the instructions in order to a copy. */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  if (changes.length === 0) return config;
  const { instructions } = parseDockerfile(changes.join("\n"), { heredocs: false });
  for (const { name } of instructions)
    if (!allowed.has(name.toLowerCase())) throw invalid(`${name} is not a valid change command`);
  return instructions.reduce((result, instruction) => apply(result, decoded(instruction)), config);
}

/** No lines are told: the user wrote none. */
function decoded(instruction: ParsedInstruction): Instruction {
  try {
    return decode(instruction);
  } catch (error) {
    throw isKind(error, "invalid") ? invalid(error.message) : error;
  }
}

function apply(config: ImageRunConfig, instruction: Instruction): ImageRunConfig {
  const word = (text: string) => expandWord(text, environmentOf(config), instruction.source.escape);
  switch (instruction.kind) {
    case "cmd":
      return { ...config, Cmd: command(config, instruction.command) };
    case "entrypoint":
      return {
        ...config,
        Entrypoint: instruction.command.words.length === 0 ? null : command(config, instruction.command),
      };
    case "env":
      return { ...config, Env: addEnvironment(config.Env ?? [], instruction.pairs, word) };
    case "label":
      return { ...config, Labels: { ...config.Labels, ...labels(instruction.pairs, word) } };
    case "expose":
      return { ...config, ExposedPorts: { ...config.ExposedPorts, ...ports(config, instruction) } };
    case "volume":
      return { ...config, Volumes: { ...config.Volumes, ...volumes(instruction.words.map(word)) } };
    case "user":
      return { ...config, User: word(instruction.word) };
    case "workdir":
      return { ...config, WorkingDir: workdir(config.WorkingDir ?? "", word(instruction.word)) };
    case "stopsignal":
      return { ...config, StopSignal: stopSignal(word(instruction.word)) };
    case "onbuild":
      return { ...config, OnBuild: [...(config.OnBuild ?? []), instruction.expression] };
    case "healthcheck":
      return { ...config, Healthcheck: instruction.health };
    default:
      return config;
  }
}

/** The variables of an `Env` list. */
export const environmentOf = ({ Env }: ImageRunConfig): Environment =>
  new Map(
    (Env ?? []).map((entry) => {
      const equals = entry.indexOf("=");
      return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );

/** A JSON array as it is, anything else through the shell. */
function command(config: ImageRunConfig, { words, shell }: CommandLine): string[] | null {
  if (shell) return [...(config.Shell ?? defaultShell), ...words];
  return words.length > 0 ? words : null;
}

function addEnvironment(
  entries: readonly string[],
  added: readonly Pair[],
  word: (text: string) => string,
): string[] {
  return added.reduce((list, pair) => setVariable(list, word(pair.key), word(pair.value)), [...entries]);
}

/** The list with a variable set, in its place where it was there. */
export function setVariable(entries: readonly string[], key: string, value: string): string[] {
  const start = `${key}=`;
  const place = entries.findIndex((entry) => entry.startsWith(start) || entry === key);
  return place < 0 ? [...entries, start + value] : entries.with(place, start + value);
}

const labels = (pairs: readonly Pair[], word: (text: string) => string): Record<string, string> =>
  Object.fromEntries(pairs.map(({ key, value }) => [word(key), word(value)]));

function ports(
  config: ImageRunConfig,
  { words, source }: { words: string[]; source: ParsedInstruction },
): Record<string, Record<string, never>> {
  const named = words.flatMap((text) => expandWords(text, environmentOf(config), source.escape));
  return Object.fromEntries(named.flatMap(exposedPorts).map((port) => [port, {}]));
}

/** `80`, `80-90/udp`, and the container's side of `127.0.0.1:8080:80`, which Docker also takes. */
function exposedPorts(text: string): string[] {
  const own = text.slice(text.lastIndexOf(":") + 1);
  const slash = own.indexOf("/");
  const port = slash < 0 ? own : own.slice(0, slash);
  const protocol = (slash < 0 ? "" : own.slice(slash + 1)).toLowerCase() || "tcp";
  if (port === "") throw invalid(`No port specified: ${text}<empty>`);
  const range = parseRange(port);
  if (!range) throw invalid(`Invalid containerPort: ${port}`);
  if (!["tcp", "udp", "sctp"].includes(protocol)) throw invalid(`Invalid proto: ${protocol}`);
  return Array.from(
    { length: range.last - range.first + 1 },
    (_, index) => `${range.first + index}/${protocol}`,
  );
}

function volumes(expanded: string[]): Record<string, Record<string, never>> {
  const paths = expanded.map((text) => text.trim());
  if (paths.includes("")) throw invalid("VOLUME specified can not be an empty string");
  return Object.fromEntries(paths.map((path) => [path, {}]));
}

function workdir(current: string, requested: string): string {
  if (requested === "") throw invalid("cannot normalize nothing");
  return requested.startsWith("/") ? requested : cleanJoin(current, requested);
}

function cleanJoin(current: string, requested: string): string {
  const parts: string[] = [];
  for (const part of `${current}/${requested}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Checks a signal's name or number; any number passes, as in Docker: which exist is the host's matter. */
export function stopSignal(text: string): string {
  if (/^[+-]?\d+$/.test(text) ? Number(text) === 0 : signalNumber(text) === undefined)
    throw invalid(`invalid signal: ${text}`);
  return text;
}
