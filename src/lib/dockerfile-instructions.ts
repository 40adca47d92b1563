import { EngineError } from "./errors.ts";

/**
 * Lines of a Dockerfile as instructions: comments, the `escape` directive, continuation lines, `--flags`, and the
 * argument forms. Only what `--change` needs; no heredocs, which Docker does not take there either.
 */
export interface Instruction {
  /** as written */
  name: string;
  /** `--interval=3s` …, quotes taken off */
  flags: string[];
  /** what follows name and flags, trimmed */
  rest: string;
  /** the arguments, where they are a JSON array of strings */
  json(): string[] | undefined;
  /** the escape character in force */
  escapeToken: string;
  /** the arguments between white space */
  words(): string[];
  /** `a=b c=d`, or the old form `a b` */
  pairs(): [string, string][];
}

const invalid = (message: string): EngineError => new EngineError("invalid", message);

/** As much as Docker reads of a Dockerfile's line. */
const lengthMax = 1 << 20;

export function parseInstructions(text: string): Instruction[] {
  if (text.length > lengthMax)
    throw new EngineError("tooLarge", `the changes are over ${lengthMax} characters`);
  const escapeToken = escapeOf(text);
  const instructions = logicalLines(text, escapeToken).map((line) => parseLine(line, escapeToken));
  if (instructions.length === 0) throw invalid("file with no instructions");
  return instructions;
}

function escapeOf(text: string): string {
  for (const line of text.split("\n")) {
    const directive = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line);
    if (!directive) break;
    if (directive[1]?.toLowerCase() !== "escape") continue;
    if (directive[2] === "`" || directive[2] === "\\") return directive[2];
    throw invalid(`invalid escapeToken token '${directive[2]}' does not match \` or \\`);
  }
  return "\\";
}

/** Lines without comments, those that end in the escape character joined with the next. */
function logicalLines(text: string, escapeToken: string): string[] {
  const lines: string[] = [];
  let open: string | undefined;
  for (const raw of text.split(/\r?\n/)) {
    if (/^\s*#/.test(raw) || (open !== undefined && raw.trim() === "")) continue;
    const line = open === undefined ? raw.trimStart() : raw;
    const continued = endsInEscape(line, escapeToken);
    open = (open ?? "") + (continued ?? line);
    if (continued !== undefined) continue;
    lines.push(open);
    open = undefined;
  }
  if (open !== undefined) lines.push(open);
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}

/** The line without its trailing escape character, where it has one that is not itself escaped. */
function endsInEscape(line: string, escapeToken: string): string | undefined {
  const end = line.replace(/[ \t]+$/, "");
  return end.endsWith(escapeToken) && end.at(-2) !== escapeToken ? end.slice(0, -1) : undefined;
}

function parseLine(line: string, escapeToken: string): Instruction {
  const name = /^\S+/.exec(line)?.[0] ?? "";
  const { flags, rest } = takeFlags(line.slice(name.length).trim(), escapeToken);
  return {
    name,
    flags,
    rest,
    json: () => stringArray(rest),
    escapeToken,
    words: () => rest.split(/\s+/).filter((word) => word !== ""),
    pairs: () => parsePairs(name.toUpperCase(), rest, escapeToken),
  };
}

function takeFlags(text: string, escapeToken: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let rest = text;
  while (rest.startsWith("--")) {
    const [word, length] = quotedWord(rest, escapeToken);
    rest = rest.slice(length).trimStart();
    if (word === "--") break;
    flags.push(word);
  }
  return { flags, rest };
}

/** The first word with its quotes taken off, and how long it was. */
function quotedWord(text: string, escapeToken: string): [string, number] {
  let word = "";
  let quote = "";
  let at = 0;
  for (; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === escapeToken && quote !== "'" && at + 1 < text.length) word += text[++at] ?? "";
    else if (quote !== "") {
      if (character === quote) quote = "";
      else word += character;
    } else if (character === "'" || character === '"') quote = character;
    else if (/\s/.test(character)) break;
    else word += character;
  }
  return [word, at];
}

/** A JSON array of strings; undefined for what is no JSON array, `invalid` for one of other things. */
export function stringArray(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // then it is meant for the shell: `[ -f x ] && y`
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!Array.isArray(value)) return undefined;
  if (value.every((item) => typeof item === "string")) return value;
  throw invalid("when using JSON array syntax, arrays must be comprised of strings only");
}

function parsePairs(name: string, rest: string, escapeToken: string): [string, string][] {
  const words = quotedWords(rest, escapeToken);
  const [first] = words;
  if (first === undefined) return [];
  if (!first.includes("=")) {
    const [, key = "", value] = /^(\S+)(?:\s+(.*))?$/s.exec(rest) ?? [];
    if (value === undefined) throw invalid(`${name} must have two arguments`);
    return [[key, value]];
  }
  return words.map((word) => {
    const equals = word.indexOf("=");
    if (equals < 0)
      throw invalid(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

/** Words between white space that is not quoted or escaped; quotes and escapes are left in. */
function quotedWords(text: string, escapeToken: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (quote === "" && /\s/.test(character)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    if (character === escapeToken && quote !== "'") {
      if (at + 1 < text.length) word += character + (text[++at] ?? "");
      continue;
    }
    if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (character === quote) quote = "";
    word += character;
  }
  return word === "" ? words : [...words, word];
}
