import { EngineError, isKind } from "../errors.ts";
import { withSuggestion } from "../text/suggest.ts";
import { type Pair, parsePairs, plainWords, quotedWords, stringArray } from "./arguments.ts";
import type { ParsedInstruction } from "./ast.ts";
import { decodeAdd, decodeCopy } from "./decode-copy.ts";
import { decodeRun } from "./decode-run.ts";
import { located } from "./error.ts";
import { Flags } from "./flags.ts";
import { decodeHealthcheck } from "./healthcheck.ts";
import type { Arg, CommandLine, From, Instruction, InstructionKind, Onbuild } from "./instruction.ts";
import { instructionNames } from "./instruction.ts";

/** Makes typed values of parsed instructions, with BuildKit's sentences for what is wrong. */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

type Decoders = {
  [K in InstructionKind]: (source: ParsedInstruction) => Extract<Instruction, { kind: unknown }>;
};

/** Throws `DockerfileError` with the instruction's place. */
export function decodeInstruction(source: ParsedInstruction): Instruction {
  const { location } = source;
  try {
    return decode(source);
  } catch (error) {
    if (error instanceof FormError) throw located(error, [location]);
    throw located(error, [location], `dockerfile parse error on line ${location.start.line}: `);
  }
}

/** The same with sentences that name no line. Errors are `invalid`. */
export function decode(source: ParsedInstruction): Instruction {
  const kind = source.name.toLowerCase();
  if (isKnown(kind)) return decoders[kind](source);
  const names = instructionNames.map((name) => name.toUpperCase());
  throw invalid(withSuggestion(`unknown instruction: ${source.name}`, source.name, names, true));
}

const isKnown = (kind: string): kind is InstructionKind => Object.hasOwn(decoders, kind);

/** A wrong form of arguments (JSON, pairs): BuildKit tells it without the line in front. */
class FormError extends EngineError {}

function form<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw isKind(error, "invalid") ? new FormError("invalid", error.message, { cause: error }) : error;
  }
}

const json = (text: string): string[] | undefined => form(() => stringArray(text));

const decoders: Decoders = {
  from: decodeFrom,
  arg: decodeArg,
  env: (source) => ({ kind: "env", source, pairs: pairs(source) }),
  label: (source) => ({ kind: "label", source, pairs: pairs(source) }),
  run: (source) => decodeRun(source, commandLine(source.rest)),
  copy: (source) => decodeCopy(source, json(source.rest) ?? plainWords(source.rest)),
  add: (source) => decodeAdd(source, json(source.rest) ?? plainWords(source.rest)),
  cmd: (source) => ({ kind: "cmd", source, command: withoutFlags(source, commandLine(source.rest)) }),
  entrypoint: (source) => ({
    kind: "entrypoint",
    source,
    command: withoutFlags(source, commandLine(source.rest)),
  }),
  healthcheck: (source) => ({ kind: "healthcheck", source, health: decodeHealthcheck(source, json) }),
  shell: decodeShell,
  onbuild: decodeOnbuild,
  expose: (source) => ({
    kind: "expose",
    source,
    words: withoutFlags(source, some(source, plainWords(source.rest))).toSorted(),
  }),
  volume: decodeVolume,
  workdir: (source) => ({ kind: "workdir", source, word: oneWord(source) }),
  user: (source) => ({ kind: "user", source, word: oneWord(source) }),
  stopsignal: (source) => {
    if (source.rest === "") throw invalid("STOPSIGNAL requires exactly one argument");
    return { kind: "stopsignal", source, word: source.rest };
  },
  maintainer: (source) => ({ kind: "maintainer", source, word: oneWord(source) }),
};

const title = ({ name }: ParsedInstruction): string => name.toUpperCase();

function withoutFlags<T>(source: ParsedInstruction, value: T): T {
  new Flags(source.flags, {});
  return value;
}

function some(source: ParsedInstruction, words: string[]): string[] {
  if (words.length === 0) throw invalid(`${title(source)} requires at least one argument`);
  return words;
}

function oneWord(source: ParsedInstruction): string {
  if (source.rest === "") throw invalid(`${title(source)} requires exactly one argument`);
  return withoutFlags(source, source.rest);
}

function commandLine(rest: string): CommandLine {
  const words = json(rest);
  return words ? { words, shell: false } : { words: rest === "" ? [] : [rest], shell: true };
}

function pairs(source: ParsedInstruction): Pair[] {
  const parsed = form(() => parsePairs(title(source), source.rest, source.escape));
  new Flags(source.flags, {});
  if (parsed.length === 0) throw invalid(`${title(source)} requires at least one argument`);
  if (parsed.some(({ key }) => key === "")) throw invalid(`${title(source)} names can not be blank`);
  return parsed;
}

function decodeFrom(source: ParsedInstruction): From {
  const [base = "", as = "", written = "", ...more] = plainWords(source.rest);
  const named = as.toLowerCase() === "as" && written !== "" && more.length === 0;
  if (base === "" || (as !== "" && !named)) throw invalid("FROM requires either one or three arguments");
  const name = named ? written.toLowerCase() : undefined;
  if (name !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(name))
    throw invalid(
      `invalid name for build stage: ${JSON.stringify(written)}, name can't start with a number or contain symbols`,
    );
  const flags = new Flags(source.flags, { platform: "text" });
  return { kind: "from", source, base, name, platform: flags.text("platform") };
}

function decodeArg(source: ParsedInstruction): Arg {
  const words = some(source, quotedWords(source.rest, source.escape));
  const args = words.map((word) => {
    const equals = word.indexOf("=");
    if (equals === 0) throw invalid("ARG names can not be blank");
    const key = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    return { key, value, description: descriptionOf(source, key) };
  });
  return { kind: "arg", source, args };
}

/** What the comments right above say of a name: `# name what it is`. */
export function descriptionOf({ comments }: ParsedInstruction, name: string): string {
  if (name === "") return "";
  const line = comments.find((comment) => comment.startsWith(`${name} `));
  return line === undefined ? "" : line.slice(name.length + 1);
}

function decodeShell(source: ParsedInstruction): Instruction {
  new Flags(source.flags, {});
  const shell = json(source.rest);
  if (source.rest === "" || shell?.length === 0) throw invalid("SHELL requires at least one argument");
  if (shell === undefined) throw invalid("SHELL requires the arguments to be in JSON form");
  return { kind: "shell", source, shell };
}

function decodeVolume(source: ParsedInstruction): Instruction {
  const words = withoutFlags(source, some(source, json(source.rest) ?? plainWords(source.rest)));
  const trimmed = words.map((word) => word.trim());
  if (trimmed.includes("")) throw invalid("VOLUME specified can not be an empty string");
  return { kind: "volume", source, words: trimmed };
}

function decodeOnbuild(source: ParsedInstruction): Onbuild {
  const { trigger, heredocs } = source;
  if (trigger === undefined) throw invalid("ONBUILD requires at least one argument");
  withoutFlags(source, undefined);
  const name = trigger.name.toUpperCase();
  if (name === "ONBUILD") throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (name === "FROM" || name === "MAINTAINER") throw invalid(`${name} isn't allowed as an ONBUILD trigger`);
  const written = source.text.replace(/^\s*ONBUILD\s*/i, "");
  const expression = heredocs.reduce((text, { content, name }) => `${text}\n${content}${name}`, written);
  return { kind: "onbuild", source, expression };
}
