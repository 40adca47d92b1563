import type { ImageRunConfig } from "../types/oci.ts";
import { type Instruction, parseInstructions } from "./dockerfile-instructions.ts";
import { EngineError } from "./errors.ts";
import { parseHealthcheck } from "./healthcheck-instruction.ts";
import { parseRange } from "./ports.ts";
import { type Environment, expandWord, expandWords } from "./shell-words.ts";
import { signalNumber } from "./signals.ts";

/**
 * `--change` of import and commit: the Dockerfile instructions that only touch a configuration, with Docker's rules
 * and sentences. All errors are of kind `invalid`.
 */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

type Apply = (config: ImageRunConfig, instruction: Instruction) => ImageRunConfig;

const defaultShell = ["/bin/sh", "-c"];

/** Applies the instructions in order to a copy. */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  if (changes.length === 0) return config;
  const instructions = parseInstructions(changes.join("\n"));
  for (const { name } of instructions)
    if (!Object.hasOwn(appliers, name.toLowerCase())) throw invalid(`${name} is not a valid change command`);
  return instructions.reduce((result, instruction) => {
    const name = instruction.name.toLowerCase();
    const [flag] = name === "healthcheck" ? [] : instruction.flags;
    if (flag !== undefined) throw invalid(`unknown flag: ${flag.split("=", 1)[0]}`);
    return appliers[name]?.(result, instruction) ?? result;
  }, config);
}

const appliers: Record<string, Apply> = {
  cmd: (config, instruction) => ({ ...config, Cmd: command(config, instruction) }),
  entrypoint: (config, instruction) =>
    instruction.rest === ""
      ? { ...config, Entrypoint: null }
      : { ...config, Entrypoint: command(config, instruction) },
  env: (config, instruction) => ({
    ...config,
    Env: addEnvironment(config.Env ?? [], pairs(config, instruction)),
  }),
  label: (config, instruction) => ({
    ...config,
    Labels: { ...config.Labels, ...Object.fromEntries(pairs(config, instruction)) },
  }),
  expose: (config, instruction) => ({
    ...config,
    ExposedPorts: { ...config.ExposedPorts, ...ports(config, instruction) },
  }),
  volume: (config, instruction) => ({
    ...config,
    Volumes: { ...config.Volumes, ...volumes(config, instruction) },
  }),
  user: (config, instruction) => ({ ...config, User: oneWord(config, instruction) }),
  workdir: (config, instruction) => ({
    ...config,
    WorkingDir: workdir(config.WorkingDir ?? "", oneWord(config, instruction)),
  }),
  stopsignal: (config, instruction) => ({ ...config, StopSignal: stopSignal(oneWord(config, instruction)) }),
  onbuild: (config, instruction) => ({
    ...config,
    OnBuild: [...(config.OnBuild ?? []), trigger(instruction)],
  }),
  healthcheck: (config, instruction) => ({ ...config, Healthcheck: parseHealthcheck(instruction) }),
};

const environmentOf = ({ Env }: ImageRunConfig): Environment =>
  new Map(
    (Env ?? []).map((entry) => {
      const equals = entry.indexOf("=");
      return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );

const word = (config: ImageRunConfig, { escapeToken }: Instruction, text: string): string =>
  expandWord(text, environmentOf(config), escapeToken);

/** A JSON array as it is, anything else through the shell. */
function command(config: ImageRunConfig, instruction: Instruction): string[] | null {
  const json = instruction.json();
  if (json) return json.length > 0 ? json : null;
  return [...(config.Shell ?? defaultShell), ...(instruction.rest === "" ? [] : [instruction.rest])];
}

function oneWord(config: ImageRunConfig, instruction: Instruction): string {
  if (instruction.rest === "")
    throw invalid(`${instruction.name.toUpperCase()} requires exactly one argument`);
  return word(config, instruction, instruction.rest);
}

function pairs(config: ImageRunConfig, instruction: Instruction): [string, string][] {
  const name = instruction.name.toUpperCase();
  const parsed = instruction.pairs();
  if (parsed.length === 0) throw invalid(`${name} requires at least one argument`);
  return parsed.map(([key, value]) => {
    if (key === "") throw invalid(`${name} names can not be blank`);
    return [word(config, instruction, key), word(config, instruction, value)];
  });
}

function addEnvironment(entries: readonly string[], added: readonly [string, string][]): string[] {
  const result = [...entries];
  for (const [key, value] of added) {
    const place = result.findIndex((entry) => entry.split("=", 1)[0] === key);
    if (place < 0) result.push(`${key}=${value}`);
    else result[place] = `${key}=${value}`;
  }
  return result;
}

function ports(config: ImageRunConfig, instruction: Instruction): Record<string, Record<string, never>> {
  if (instruction.words().length === 0) throw invalid("EXPOSE requires at least one argument");
  const exposed: Record<string, Record<string, never>> = {};
  const named = instruction
    .words()
    .flatMap((text) => expandWords(text, environmentOf(config), instruction.escapeToken));
  for (const port of named.filter((text) => text !== "").flatMap(exposedPorts)) exposed[port] = {};
  return exposed;
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

function volumes(config: ImageRunConfig, instruction: Instruction): Record<string, Record<string, never>> {
  const named = instruction.json() ?? instruction.words();
  if (named.length === 0) throw invalid("VOLUME requires at least one argument");
  const paths = named.map((text) => word(config, instruction, text).trim());
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

function stopSignal(text: string): string {
  // any number passes, as in Docker: which signals exist is the host's matter
  if (/^[+-]?\d+$/.test(text) ? Number(text) === 0 : signalNumber(text) === undefined)
    throw invalid(`invalid signal: ${text}`);
  return text;
}

function trigger({ rest }: Instruction): string {
  if (rest === "") throw invalid("ONBUILD requires at least one argument");
  const name = (/^\S+/.exec(rest)?.[0] ?? "").toUpperCase();
  if (name === "ONBUILD") throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (name === "FROM" || name === "MAINTAINER") throw invalid(`${name} isn't allowed as an ONBUILD trigger`);
  return rest;
}
