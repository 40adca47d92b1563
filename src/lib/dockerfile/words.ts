import { EngineError } from "../errors.ts";
import { ExpansionBudget, removeAffix, replaceMatches, WordError } from "./substitution.ts";

/**
 * The words of Dockerfile instructions: quotes are taken off and variables put in, with the rules of BuildKit's
 * Dockerfile front end (https://docs.docker.com/reference/dockerfile/#environment-replacement). Errors are `invalid`.
 */
export type Environment = ReadonlyMap<string, string>;

export interface WordOptions {
  /** default `\` */
  escapeToken?: string;
  /** quotes stay in the result */
  rawQuotes?: boolean;
  /** escape characters stay in the result */
  rawEscapes?: boolean;
  /** quotes mean nothing */
  ignoreQuotes?: boolean;
  /** what names no variable stays as written */
  keepUnset?: boolean;
  /** of the file that the text is from; default: one of its own */
  budget?: ExpansionBudget;
}

export interface Expansion {
  /** the text with its variables put in */
  text: string;
  /** the words it falls into at white space that is not quoted */
  words: string[];
  /** variables that were there, and those that were not */
  matched: Set<string>;
  unmatched: Set<string>;
}

/** One word: what is between its quotes stays together. */
export const expandWord = (text: string, environment: Environment, escapeToken = "\\"): string =>
  expand(text, environment, { escapeToken }).text;

/** The words a text falls into after variables are put in. */
export const expandWords = (text: string, environment: Environment, escapeToken = "\\"): string[] =>
  expand(text, environment, { escapeToken }).words;

/** Throws `failed to process "text": reason`. */
export function expand(text: string, environment: Environment, options: WordOptions = {}): Expansion {
  const reader = new WordReader(text, environment, options);
  try {
    const result = reader.until(undefined, options.rawEscapes ?? false);
    return {
      text: result,
      words: reader.finish(),
      matched: reader.matched,
      unmatched: reader.unmatched,
    };
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    throw new EngineError("invalid", `failed to process ${JSON.stringify(text)}: ${error.message}`, {
      cause: { matched: reader.matched, unmatched: reader.unmatched },
    });
  }
}

const depthMax = 50;

class WordReader {
  readonly matched = new Set<string>();
  readonly unmatched = new Set<string>();
  private readonly text: string;
  private readonly environment: Environment;
  private readonly options: WordOptions;
  private readonly escapeToken: string;
  private readonly budget: ExpansionBudget;
  private at = 0;
  private depth = 0;
  private readonly words: string[] = [];
  private word = "";

  constructor(text: string, environment: Environment, options: WordOptions) {
    this.text = text;
    this.environment = environment;
    this.options = options;
    this.escapeToken = options.escapeToken ?? "\\";
    this.budget = options.budget ?? new ExpansionBudget();
  }

  finish(): string[] {
    this.cut();
    return this.words;
  }

  /** Reads to the stop character (which is taken), or to the end. */
  until(stop: string | undefined, raw: boolean): string {
    if (++this.depth > depthMax) throw new WordError("substitutions are nested too deeply");
    const parts: string[] = [];
    for (;;) {
      const character = this.peek();
      if (character === undefined) {
        if (stop !== undefined)
          throw new WordError(`unexpected end of statement while looking for matching ${stop}`);
        break;
      }
      if (character === stop) {
        this.at += character.length;
        break;
      }
      parts.push(this.piece(character, raw));
    }
    this.depth--;
    return parts.join("");
  }

  private piece(character: string, raw: boolean): string {
    if (character === "$") return this.splitting(this.dollar());
    if (character === "<") return this.whole(this.heredocMark());
    if (!this.options.ignoreQuotes) {
      if (character === "'") return this.whole(this.singleQuoted());
      if (character === '"') return this.whole(this.doubleQuoted(raw));
    }
    this.at += character.length;
    if (character !== this.escapeToken) return this.splitting(character);
    const next = this.take();
    if (next === undefined) return raw ? this.whole(character) : "";
    return this.whole(raw ? character + next : next);
  }

  /** Text whose white space ends a word. */
  private splitting(text: string): string {
    if (this.depth > 1) return text;
    const [first = "", ...others] = text.split(/\s/);
    this.word += first;
    for (const word of others) {
      this.cut();
      this.word = word;
    }
    return text;
  }

  /** Text that stays in one word. */
  private whole(text: string): string {
    if (this.depth === 1) this.word += text;
    return text;
  }

  private cut(): void {
    if (this.word !== "") this.words.push(this.word);
    this.word = "";
  }

  /** `<<` and the blanks behind it belong to the word that names the heredoc. */
  private heredocMark(): string {
    const mark = /^<(?:<[\t\r ]*)?/.exec(this.text.slice(this.at, this.at + 4096))?.[0] ?? "<";
    this.at += mark.length;
    return mark;
  }

  private singleQuoted(): string {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) throw new WordError("unexpected end of statement while looking for matching single-quote");
    const quoted = this.text.slice(this.at, end + 1);
    this.at = end + 1;
    return this.options.rawQuotes ? quoted : quoted.slice(1, -1);
  }

  private doubleQuoted(raw: boolean): string {
    this.at++;
    const mark = this.options.rawQuotes ? '"' : "";
    const parts = [mark];
    for (let character = this.peek(); character !== '"'; character = this.peek()) {
      if (character === undefined)
        throw new WordError("unexpected end of statement while looking for matching double-quote");
      if (character === "$") parts.push(this.dollar());
      else {
        this.at += character.length;
        parts.push(character === this.escapeToken ? this.escapedInQuotes(raw) : character);
      }
    }
    this.at++;
    return parts.join("") + mark;
  }

  /** Within quotes only `"`, `$` and the escape character itself are escaped; others keep it. */
  private escapedInQuotes(raw: boolean): string {
    const next = this.peek();
    const escapes = next === '"' || next === "$" || next === this.escapeToken;
    if (!escapes || next === undefined) return next === undefined ? "" : this.escapeToken;
    this.at++;
    return raw ? this.escapeToken + next : next;
  }

  private dollar(): string {
    this.at++;
    if (this.peek() !== "{") {
      const name = this.name();
      if (name === "") return "$";
      return this.lookup(name) ?? (this.options.keepUnset ? `$${name}` : "");
    }
    this.at++;
    const first = this.peek();
    if (first === undefined) throw new WordError("syntax error: missing '}'");
    if (first === "{" || first === "}" || first === ":")
      throw new WordError("syntax error: bad substitution");
    return this.substitution(this.name());
  }

  private substitution(name: string): string {
    let modifier = this.take() ?? "\ufffd";
    if (modifier === "}") return this.lookup(name) ?? (this.options.keepUnset ? `\${${name}}` : "");
    if (modifier === "/") return this.replaced(name);
    const emptyIsUnset = modifier === ":";
    if (emptyIsUnset) modifier = this.take() ?? "\ufffd";
    const told = emptyIsUnset ? `:${modifier}` : modifier;
    const trims = modifier === "#" || modifier === "%";
    const known = trims ? !emptyIsUnset : modifier === "-" || modifier === "+" || modifier === "?";
    if (!known && !emptyIsUnset) throw new WordError(`unsupported modifier (${told}) in substitution`);
    if (emptyIsUnset && trims) throw new WordError(`unsupported modifier (${told}) in substitution`);
    const word = this.inBraces("}", trims);
    const value = this.lookup(name);
    if (value === undefined && this.options.keepUnset) return `\${${name}${told}${word}}`;
    if (!known) throw new WordError(`unsupported modifier (${told}) in substitution`);
    if (trims) return removeAffix(value ?? "", word, modifier);
    const present = value !== undefined && !(emptyIsUnset && value === "");
    if (modifier === "+") return present ? word : "";
    if (present) return value;
    if (modifier === "-") return word;
    throw new WordError(
      `${name}: ${word || `is not allowed to be ${value === undefined ? "unset" : "empty"}`}`,
    );
  }

  private replaced(name: string): string {
    const all = this.peek() === "/";
    if (all) this.at++;
    const pattern = this.inBraces("/", true, `syntax error: missing '/' in $${"{}"}`);
    const replacement = this.inBraces("}", true);
    const value = this.lookup(name);
    if (value === undefined && this.options.keepUnset) return `\${${name}/${pattern}/${replacement}}`;
    return this.budget.take(replaceMatches(value ?? "", pattern, replacement, all));
  }

  private inBraces(stop: string, raw: boolean, missing = "syntax error: missing '}'"): string {
    try {
      return this.until(stop, raw);
    } catch (error) {
      throw error instanceof WordError && this.peek() === undefined ? new WordError(missing) : error;
    }
  }

  private lookup(name: string): string | undefined {
    const value = this.environment.get(name);
    (value === undefined ? this.unmatched : this.matched).add(name);
    return value === undefined ? undefined : this.budget.take(value);
  }

  private name(): string {
    const rest = this.text.slice(this.at, this.at + 4096);
    const name = /^(?:\p{Nd}+|[@*#?$!-]|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(rest)?.[0] ?? "";
    this.at += name.length;
    return name;
  }

  private peek(): string | undefined {
    const code = this.text.codePointAt(this.at);
    return code === undefined ? undefined : String.fromCodePoint(code);
  }

  private take(): string | undefined {
    const character = this.peek();
    this.at += character?.length ?? 0;
    return character;
  }
}
