import { EngineError } from "./errors.ts";
import { matchEnds, type PatternToken, parseShellPattern } from "./shell-pattern.ts";

/**
 * The words of Dockerfile instructions: quotes are taken off and variables put in, with the rules of BuildKit's
 * Dockerfile front end (https://docs.docker.com/reference/dockerfile/#environment-replacement). Errors are `invalid`.
 */
export type Environment = ReadonlyMap<string, string>;

/** One word: what is between its quotes stays together. */
export const expandWord = (text: string, environment: Environment, escapeToken = "\\"): string =>
  expand(text, environment, escapeToken).word;

/** The words a text falls into after variables are put in. */
export const expandWords = (text: string, environment: Environment, escapeToken = "\\"): string[] =>
  expand(text, environment, escapeToken).words;

function expand(
  text: string,
  environment: Environment,
  escapeToken: string,
): { word: string; words: string[] } {
  try {
    const lexer = new Lexer(text, environment, escapeToken);
    const word = lexer.until();
    return { word, words: lexer.finish() };
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    throw new EngineError("invalid", `failed to process ${JSON.stringify(text)}: ${error.message}`);
  }
}

class WordError extends Error {}

/** Bytes that one expansion may grow to: `${a}${a}…` of nested values doubles with each step. */
const lengthMax = 1 << 20;
/** Longest value that a pattern is tried on; the time is quadratic in it. */
const patternValueMax = 4096;

class Lexer {
  private readonly characters: string[];
  private readonly environment: Environment;
  private readonly escapeToken: string;
  private at = 0;
  private depth = 0;
  private readonly words: string[] = [];
  private word = "";
  /** the word has begun, be it empty (`""`) */
  private begun = false;

  constructor(text: string, environment: Environment, escapeToken: string) {
    this.characters = [...text];
    this.environment = environment;
    this.escapeToken = escapeToken;
  }

  finish(): string[] {
    this.cut();
    return this.words;
  }

  /** Reads to the stop character (which is taken), or to the end. */
  until(stop?: string, raw = false): string {
    if (++this.depth > 50) throw new WordError("substitutions are nested too deeply");
    let out = "";
    for (;;) {
      const character = this.peek();
      if (character === undefined) {
        if (stop !== undefined)
          throw new WordError(`unexpected end of statement while looking for matching ${stop}`);
        break;
      }
      if (character === stop) {
        this.at++;
        break;
      }
      out += this.piece(character, raw);
      if (out.length > lengthMax) throw new WordError("the expansion is too long");
    }
    this.depth--;
    return out;
  }

  private piece(character: string, raw: boolean): string {
    if (character === "'") return this.singleQuoted();
    if (character === '"') return this.doubleQuoted();
    if (character === "$") {
      const value = this.dollar();
      if (this.depth === 1) for (const one of value) this.put(one, /\s/.test(one));
      return value;
    }
    this.at++;
    if (character !== this.escapeToken) return this.put(character, /\s/.test(character));
    const next = this.characters[this.at++];
    if (next === undefined) return "";
    return raw ? this.put(character + next, false) : this.put(next, false);
  }

  private put(text: string, space: boolean): string {
    if (this.depth > 1) return text;
    if (space) this.cut();
    else {
      this.word += text;
      this.begun = true;
    }
    return text;
  }

  private quoted(text: string): string {
    return this.put(text, false);
  }

  private cut(): void {
    if (this.begun) this.words.push(this.word);
    this.word = "";
    this.begun = false;
  }

  private singleQuoted(): string {
    const end = this.characters.indexOf("'", this.at + 1);
    if (end < 0) throw new WordError("unexpected end of statement while looking for matching single-quote");
    const text = this.characters.slice(this.at + 1, end).join("");
    this.at = end + 1;
    return this.quoted(text);
  }

  private doubleQuoted(): string {
    this.at++;
    let out = "";
    for (let character = this.peek(); character !== '"'; character = this.peek()) {
      if (character === undefined)
        throw new WordError("unexpected end of statement while looking for matching double-quote");
      if (character === "$") out += this.dollar();
      else {
        this.at++;
        out += character === this.escapeToken ? this.escapedInQuotes() : character;
      }
    }
    this.at++;
    return this.quoted(out);
  }

  private escapedInQuotes(): string {
    const next = this.peek();
    if (next === undefined)
      throw new WordError("unexpected end of statement while looking for matching double-quote");
    this.at++;
    return next === '"' || next === "$" || next === this.escapeToken ? next : this.escapeToken + next;
  }

  private dollar(): string {
    this.at++;
    if (this.peek() !== "{") {
      const name = this.name();
      return name === "" ? "$" : (this.environment.get(name) ?? "");
    }
    this.at++;
    const first = this.peek();
    if (first === undefined) throw new WordError("syntax error: missing '}'");
    if (first === "{" || first === "}" || first === ":")
      throw new WordError("syntax error: bad substitution");
    return this.substitution(this.name());
  }

  private substitution(name: string): string {
    const value = this.environment.get(name);
    let modifier = this.take();
    if (modifier === "}") return value ?? "";
    if (modifier === "/") return this.replaced(value);
    let told = modifier;
    const emptyIsUnset = modifier === ":";
    if (emptyIsUnset) {
      modifier = this.take();
      told += modifier;
    }
    const trims = modifier === "#" || modifier === "%";
    if (!["-", "+", "?", "#", "%"].includes(modifier) || (emptyIsUnset && trims))
      throw new WordError(`unsupported modifier (${told}) in substitution`);
    const word = this.inBraces("}", trims);
    if (trims) return trim(value ?? "", word, modifier);
    const present = value !== undefined && !(emptyIsUnset && value === "");
    if (modifier === "+") return present ? word : "";
    if (present) return value;
    if (modifier === "-") return word;
    throw new WordError(
      `${name}: ${word || `is not allowed to be ${value === undefined ? "unset" : "empty"}`}`,
    );
  }

  private replaced(value: string | undefined): string {
    const all = this.peek() === "/";
    if (all) this.at++;
    const pattern = this.inBraces("/", true);
    const replacement = this.inBraces("}", true);
    return value === undefined ? "" : replace(value, pattern, replacement, all);
  }

  private inBraces(stop: string, raw: boolean): string {
    try {
      return this.until(stop, raw);
    } catch (error) {
      if (error instanceof WordError && this.peek() === undefined)
        throw new WordError("syntax error: missing '}'");
      throw error;
    }
  }

  private name(): string {
    const rest = this.characters.slice(this.at, this.at + 4096).join("");
    const name = /^(?:\d+|[@*#?$!-]|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(rest)?.[0] ?? "";
    this.at += [...name].length;
    return name;
  }

  private peek(): string | undefined {
    return this.characters[this.at];
  }

  private take(): string {
    return this.characters[this.at++] ?? "\ufffd";
  }
}

function trim(value: string, word: string, modifier: string): string {
  const greedy = word.startsWith(modifier);
  const tokens = parseShellPattern(greedy ? word.slice(1) : word);
  const backwards = modifier === "%";
  const text = [...checked(value)];
  const ends = backwards ? matchEnds(tokens.toReversed(), text.toReversed(), 0) : matchEnds(tokens, text, 0);
  const length = greedy ? ends.at(-1) : ends[0];
  if (length === undefined) return value;
  return (backwards ? text.slice(0, text.length - length) : text.slice(length)).join("");
}

function replace(value: string, pattern: string, replacement: string, all: boolean): string {
  const tokens: PatternToken[] = parseShellPattern(pattern);
  const text = [...checked(value)];
  let out = "";
  for (let at = 0; at < text.length; ) {
    const end = matchEnds(tokens, text, at).at(-1);
    if (end === undefined || end === at) {
      out += text[at++] ?? "";
      continue;
    }
    out += replacement;
    at = end;
    if (!all) return out + text.slice(at).join("");
    if (out.length > lengthMax) throw new WordError("the expansion is too long");
  }
  return out;
}

function checked(value: string): string {
  if (value.length <= patternValueMax) return value;
  throw new WordError(`a value of ${value.length} characters is too long for a pattern`);
}
