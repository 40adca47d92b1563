import { EngineError } from "../errors.ts";

/** The forms that arguments come in: JSON arrays, words, `a=b` pairs. Quotes are kept; `words.ts` takes them off. */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

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

/** Words between white space, quotes without meaning. */
export const plainWords = (text: string): string[] => (text === "" ? [] : text.split(/[\t\v\f\r ]+/));

/** Words between white space that is not quoted or escaped; quotes and escapes are left in. */
export function quotedWords(text: string, escapeToken: string): string[] {
  const words: string[] = [];
  let start = -1;
  let word = "";
  let quote = "";
  const cut = () => {
    if (start >= 0) words.push(word);
    start = -1;
    word = "";
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (quote === "" && /\s/.test(character)) {
      cut();
      continue;
    }
    start = start < 0 ? at : start;
    if (character === escapeToken && quote !== "'") {
      if (at + 1 < text.length) word += character + (text[++at] ?? "");
      continue;
    }
    if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (character === quote) quote = "";
    word += character;
  }
  if (word !== "") cut();
  return words;
}

export interface Pair {
  key: string;
  value: string;
  /** the old form `key value` */
  legacy: boolean;
}

/** `a=b c=d`, or the old form `a b` where the first word holds no `=`. */
export function parsePairs(instruction: string, rest: string, escapeToken: string): Pair[] {
  const words = quotedWords(rest, escapeToken);
  const [first] = words;
  if (first === undefined) return [];
  if (!first.includes("=")) {
    const [, key = "", value] = /^([^\t\v\f\r ]*)(?:[\t\v\f\r ]+(.*))?$/s.exec(rest) ?? [];
    if (value === undefined) throw invalid(`${instruction} must have two arguments`);
    return [{ key, value, legacy: true }];
  }
  return words.map((word) => {
    const equals = word.indexOf("=");
    if (equals < 0)
      throw invalid(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    return { key: word.slice(0, equals), value: word.slice(equals + 1), legacy: false };
  });
}

/** The name and the rest of an instruction, and the `--flags` between them with their quotes taken off. */
export function splitInstruction(
  line: string,
  escapeToken: string,
): { name: string; flags: string[]; rest: string } {
  const text = line.trim();
  const name = /^[^\t\v\f\r ]*/.exec(text)?.[0] ?? "";
  let rest = text.slice(name.length).trimStart();
  const flags: string[] = [];
  while (rest.startsWith("--")) {
    const { word, length } = firstWord(rest, escapeToken);
    rest = rest.slice(length).trimStart();
    if (word === "--") break;
    flags.push(word);
  }
  return { name, flags, rest: rest.trim() };
}

function firstWord(text: string, escapeToken: string): { word: string; length: number } {
  let word = "";
  let quote = "";
  let at = 0;
  for (; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === escapeToken) word += text[++at] ?? "";
    else if (quote !== "") {
      if (character === quote) quote = "";
      else word += character;
    } else if (character === "'" || character === '"') quote = character;
    else if (/\s/.test(character)) break;
    else word += character;
  }
  return { word, length: Math.min(at, text.length) };
}
