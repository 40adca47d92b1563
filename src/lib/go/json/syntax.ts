import { goQuoteRune } from "../quote.ts";

/**
 * Where and why a text is not JSON, in the words of Go's decoder, which clients and their tests know.
 * It runs only on texts that `JSON.parse` refused, so its speed does not matter; its depth is bounded.
 */
type Syntax = { complete: number } | { error: string };

const deepest = 10_000;

class Fault extends Error {}

const space = /[ \t\r\n]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;

/** What Go says of a whole text where it says `unexpected EOF` of a stream. */
export const wholeText = (error: string): string =>
  error === "unexpected EOF" || error === "EOF" ? "unexpected end of JSON input" : error;

/** Reads the first JSON value of `source`: the index behind it, or the first error. */
export function scan(source: string): Syntax {
  try {
    return { complete: new Scanner(source).value(0) };
  } catch (error) {
    if (error instanceof Fault) return { error: error.message };
    throw error;
  }
}

class Scanner {
  private readonly source: string;
  private at = 0;

  constructor(source: string) {
    this.source = source;
  }

  value(depth: number): number {
    if (depth > deepest) throw new Fault("exceeded max depth");
    this.skip();
    const first = this.peek();
    if (first === "{") this.object(depth);
    else if (first === "[") this.array(depth);
    else if (first === '"') this.text();
    else if (first === "-" || (first >= "0" && first <= "9")) this.number();
    else this.word(first);
    return this.at;
  }

  private object(depth: number): void {
    this.at++;
    this.skip();
    if (this.peek() === "}") {
      this.at++;
      return;
    }
    for (;;) {
      this.skip();
      if (this.peek() !== '"') this.invalid("looking for beginning of object key string");
      this.text();
      this.skip();
      if (this.peek() !== ":") this.invalid("after object key");
      this.at++;
      this.value(depth + 1);
      if (this.separator("}", "after object key:value pair")) return;
    }
  }

  private array(depth: number): void {
    this.at++;
    this.skip();
    if (this.peek() === "]") {
      this.at++;
      return;
    }
    for (;;) {
      this.value(depth + 1);
      if (this.separator("]", "after array element")) return;
    }
  }

  /** True at the closing bracket, false at a comma. */
  private separator(close: string, where: string): boolean {
    this.skip();
    const next = this.peek();
    if (next !== close && next !== ",") this.invalid(where);
    this.at++;
    return next === close;
  }

  private text(): void {
    this.at++;
    for (;;) {
      const next = this.peek();
      if (next === '"') break;
      if (next < " ") this.invalid("in string");
      if (next === "\\") this.escape();
      else this.at++;
    }
    this.at++;
  }

  private escape(): void {
    const kind = this.source[this.at + 1];
    if (kind === undefined) throw new Fault("unexpected EOF");
    const length = kind === "u" ? 6 : 2;
    const sequence = this.source.slice(this.at, this.at + length);
    if (!/^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})$/.test(sequence)) {
      if (sequence.length < length) throw new Fault("unexpected EOF");
      throw new Fault(`invalid escape sequence \`${sequence}\` in string`);
    }
    this.at += length;
  }

  private number(): void {
    number.lastIndex = this.at;
    const match = number.exec(this.source)?.[0];
    if (match === undefined) {
      this.at++;
      this.invalid("in numeric literal");
      return;
    }
    this.at += match.length;
    const more = this.source[this.at];
    if (more === undefined || !/[.eE]/.test(more)) return;
    this.at++;
    if (more !== "." && /[-+]/.test(this.source[this.at] ?? "")) this.at++;
    this.invalid(
      `${more === "." ? "after decimal point" : "in exponent of"} ${more === "." ? "in " : ""}numeric literal`,
    );
  }

  private word(first: string): void {
    const expected = { t: "true", f: "false", n: "null" }[first];
    if (expected === undefined) this.invalid("looking for beginning of value");
    for (const character of expected ?? "") {
      if (this.peek() !== character)
        this.invalid(`in literal ${expected} (expecting ${goQuoteRune(character.charCodeAt(0))})`);
      this.at++;
    }
  }

  private skip(): void {
    space.lastIndex = this.at;
    this.at += space.exec(this.source)?.[0].length ?? 0;
  }

  private peek(): string {
    const next = this.source[this.at];
    if (next === undefined) throw new Fault("unexpected EOF");
    return next;
  }

  private invalid(where: string): never {
    const code = this.source.codePointAt(this.at);
    if (code === undefined) throw new Fault("unexpected EOF");
    throw new Fault(`invalid character ${goQuoteRune(code)} ${where}`);
  }
}
