/** Tokens of a Go text/template: text outside the delimiters, words and signs inside them. */
type TokenKind =
  | "text"
  | "left"
  | "right"
  | "space"
  | "identifier"
  | "keyword"
  | "field"
  | "variable"
  | "number"
  | "string"
  | "char"
  | "pipe"
  | "assign"
  | "declare"
  | "comma"
  | "open"
  | "close"
  | "dot"
  | "nil"
  | "bool"
  | "other"
  /** what is wrong with the source from here on; the parser tells it if it gets so far */
  | "error"
  | "end";

export interface Token {
  kind: TokenKind;
  text: string;
  /** offset in the source */
  position: number;
  line: number;
}

export class TemplateSyntaxError extends Error {}

export const syntaxError = (name: string, line: number, message: string): TemplateSyntaxError =>
  new TemplateSyntaxError(`template: ${name}:${line}: ${message}`);

const keywords = new Set([
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "range",
  "template",
  "with",
]);
const word = /[\p{L}\p{Nd}_]/u;
const blank = /[ \t\r\n]/;

export function lex(source: string, name: string): Token[] {
  return new Lexer(source, name).run();
}

class Lexer {
  private readonly tokens: Token[] = [];
  private at = 0;
  private line = 1;
  private parens = 0;
  private readonly source: string;
  private readonly name: string;

  constructor(source: string, name: string) {
    this.source = source;
    this.name = name;
  }

  run(): Token[] {
    try {
      while (this.at < this.source.length) this.text();
      this.emit("end", "");
    } catch (error) {
      if (!(error instanceof TemplateSyntaxError)) throw error;
      this.tokens.push({ kind: "error", text: error.message, position: this.at, line: this.line });
    }
    return this.tokens;
  }

  private fail(message: string): never {
    throw syntaxError(this.name, this.line, message);
  }

  private emit(kind: TokenKind, text: string): undefined {
    this.tokens.push({ kind, text, position: this.at, line: this.line });
    this.at += text.length;
    for (const character of text) if (character === "\n") this.line++;
  }

  private skip(length: number): undefined {
    for (const character of this.source.slice(this.at, this.at + length)) if (character === "\n") this.line++;
    this.at += length;
  }

  private text(): undefined {
    const open = this.source.indexOf("{{", this.at);
    if (open < 0) return this.emit("text", this.source.slice(this.at));
    const trims = this.source[open + 2] === "-" && blank.test(this.source[open + 3] ?? "");
    let text = this.source.slice(this.at, open);
    const kept = trims ? text.replace(/[ \t\r\n]+$/, "") : text;
    if (kept) this.emit("text", kept);
    text = text.slice(kept.length);
    this.skip(text.length);
    if (this.source.startsWith("/*", open + (trims ? 4 : 2))) return this.comment(open + (trims ? 4 : 2));
    this.emit("left", "{{");
    if (trims) this.skip(2);
    this.parens = 0;
    this.inside();
  }

  private comment(start: number): undefined {
    const end = this.source.indexOf("*/", start);
    if (end < 0) this.fail("unclosed comment");
    const trims = blank.test(this.source[end + 2] ?? "") && this.source[end + 3] === "-";
    const close = end + (trims ? 4 : 2);
    if (!this.source.startsWith("}}", close)) this.fail("comment ends before closing delimiter");
    this.skip(close + 2 - this.at);
    if (trims) this.trimAfter();
  }

  private trimAfter(): undefined {
    const blanks = /^[ \t\r\n]+/.exec(this.source.slice(this.at));
    if (blanks) this.skip(blanks[0].length);
  }

  private inside(): undefined {
    for (;;) {
      const rest = this.source.slice(this.at);
      const trimmed = /^[ \t\r\n]-\}\}/.test(rest);
      if (trimmed || rest.startsWith("}}")) {
        if (this.parens > 0) this.fail("unclosed left paren");
        if (trimmed) this.skip(2);
        this.emit("right", "}}");
        if (trimmed) this.trimAfter();
        return;
      }
      this.token(rest);
    }
  }

  private token(rest: string): undefined {
    const character = rest[0];
    if (character === undefined) this.fail("unclosed action");
    const blanks = /^[ \t\r\n]+/.exec(rest);
    if (blanks) {
      const length = /[ \t\r\n]-\}\}$/.test(rest.slice(0, blanks[0].length + 3))
        ? blanks[0].length - 1
        : blanks[0].length;
      if (length === 0) return;
      return this.emit("space", rest.slice(0, length));
    }
    if (rest.startsWith(":=")) return this.emit("declare", ":=");
    if (character === ":") this.fail("expected :=");
    if (character === "=") return this.emit("assign", "=");
    if (character === "|") return this.emit("pipe", "|");
    if (character === ",") return this.emit("comma", ",");
    if (character === "(" || character === ")") return this.paren(character);
    if (character === '"')
      return this.quoted(rest, /^"(?:[^"\\\n]|\\[^\n])*"/, "string", "unterminated quoted string");
    if (character === "`") return this.quoted(rest, /^`[^`]*`/, "string", "unterminated raw quoted string");
    if (character === "'")
      return this.quoted(rest, /^'(?:[^'\\\n]|\\[^\n])*'/, "char", "unterminated character constant");
    if (character === "$") return this.wordLike("variable", rest, 1);
    if (character === "." && !/^\.\d/.test(rest)) return this.dotted(rest);
    if (/^[+\-.]?\d/.test(rest)) return this.number(rest);
    if (word.test(character)) return this.identifier(rest);
    if (/[!-~]/.test(character)) return this.emit("other", character);
    this.fail(`unrecognized character in action: ${codePoint(rest)}`);
  }

  private paren(character: "(" | ")"): undefined {
    this.parens += character === "(" ? 1 : -1;
    if (this.parens < 0) this.fail("unexpected right paren");
    this.emit(character === "(" ? "open" : "close", character);
  }

  private quoted(rest: string, pattern: RegExp, kind: TokenKind, problem: string): undefined {
    const match = pattern.exec(rest);
    if (!match) this.fail(problem);
    this.emit(kind, match[0]);
  }

  private dotted(rest: string): undefined {
    if (!word.test(rest[1] ?? "")) return this.emit("dot", ".");
    this.wordLike("field", rest, 1);
  }

  private wordLike(kind: TokenKind, rest: string, from: number): undefined {
    let end = from;
    while (end < rest.length && word.test(rest[end] ?? "")) end++;
    this.emit(kind, rest.slice(0, end));
    this.checkEnd(rest[end], rest.slice(end));
  }

  private identifier(rest: string): undefined {
    let end = 0;
    while (end < rest.length && word.test(rest[end] ?? "")) end++;
    const text = rest.slice(0, end);
    const kind = keywords.has(text)
      ? "keyword"
      : text === "nil"
        ? "nil"
        : text === "true" || text === "false"
          ? "bool"
          : "identifier";
    this.emit(kind, text);
    this.checkEnd(rest[end], rest.slice(end));
  }

  /** A word must be followed by something that can follow a word. */
  private checkEnd(next: string | undefined, rest: string): undefined {
    if (next === undefined || blank.test(next) || ".,|:()=".includes(next) || rest.startsWith("}}")) return;
    this.fail(`bad character ${codePoint(rest)}`);
  }

  private number(rest: string): undefined {
    const match =
      /^[+-]?(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[\d_]*\.?[\d_]*(?:[eE][+-]?[\d_]+)?)/.exec(rest);
    const text = match?.[0] ?? "";
    const next = rest[text.length] ?? "";
    if (word.test(next)) this.fail(`bad number syntax: ${JSON.stringify(text + next)}`);
    this.emit("number", text);
  }
}

function codePoint(text: string): string {
  const code = text.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")} '${String.fromCodePoint(code)}'`;
}
