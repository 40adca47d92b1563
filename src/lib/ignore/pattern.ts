import { EngineError } from "../errors.ts";

/**
 * One ignore pattern over a whole path: `*` and `?` match anything but `/`, `**` folders of any depth, `[a-z]` one of a
 * class, `\x` the character itself. Semantics of moby's patternmatcher.
 */
export type Token =
  | { kind: "literal"; character: string }
  | { kind: "class"; negated: boolean; ranges: [low: string, high: string][] }
  /** any one character but `/` */
  | { kind: "one" }
  /** any run without `/` */
  | { kind: "star" }
  /** nothing, or anything that ends in `/` */
  | { kind: "folders" }
  /** anything at all; only at the end */
  | { kind: "rest" };

const badPattern = (): EngineError => new EngineError("invalid", "syntax error in pattern");

/** Throws `invalid` ("syntax error in pattern") for a pattern that is none. */
export function parseIgnorePattern(pattern: string): Token[] {
  return new PatternReader(pattern).read();
}

class PatternReader {
  private readonly characters: string[];
  private at = 0;

  constructor(pattern: string) {
    this.characters = [...pattern];
  }

  read(): Token[] {
    const tokens: Token[] = [];
    for (let character = this.take(); character !== undefined; character = this.take())
      tokens.push(...this.token(character, tokens.length === 0));
    return tokens;
  }

  private token(character: string, isFirst: boolean): Token[] {
    if (character === "*") return this.wildcard(isFirst);
    if (character === "?") return [{ kind: "one" }];
    if (character === "[") return [this.characterClass()];
    return [{ kind: "literal", character: character === "\\" ? this.escaped() : character }];
  }

  private wildcard(isFirst: boolean): Token[] {
    if (this.characters[this.at] !== "*") return [{ kind: "star" }];
    this.at++;
    const slash = this.characters[this.at] === "/";
    if (slash) this.at++;
    if (this.at >= this.characters.length) return [{ kind: "rest" }];
    // without a wildcard behind it, a leading `**x` takes any path that ends in x
    if (isFirst && !slash && !this.hasWildcardAhead()) return [{ kind: "rest" }];
    return [{ kind: "folders" }];
  }

  private hasWildcardAhead(): boolean {
    return this.characters.slice(this.at).some((character) => "*?[]\\".includes(character));
  }

  private escaped(): string {
    const character = this.take();
    if (character === undefined) throw badPattern();
    return character;
  }

  private characterClass(): Token {
    const negated = this.characters[this.at] === "^";
    if (negated) this.at++;
    const ranges: [string, string][] = [];
    while (this.characters[this.at] !== "]" || ranges.length === 0) {
      const low = this.classCharacter();
      const isRange = this.characters[this.at] === "-";
      if (isRange) this.at++;
      const high = isRange ? this.classCharacter() : low;
      if (low > high) throw badPattern();
      ranges.push([low, high]);
    }
    this.at++;
    return { kind: "class", negated, ranges };
  }

  private classCharacter(): string {
    const character = this.take();
    if (character === undefined || character === "-" || character === "]") throw badPattern();
    return character === "\\" ? this.escaped() : character;
  }

  private take(): string | undefined {
    return this.characters[this.at++];
  }
}

/** More wildcards than these, and a backtracking expression could take too long on a long path. */
const foldersMax = 1;
const starsMax = 2;

/** A test of whole paths. */
export function compileTokens(tokens: readonly Token[]): (path: string) => boolean {
  const count = (wanted: Token["kind"]) => tokens.filter(({ kind }) => kind === wanted).length;
  if (count("folders") > foldersMax || count("star") > starsMax) return (path) => follow(tokens, path);
  const expression = new RegExp(`^${tokens.map(source).join("")}$`, "su");
  return (path) => expression.test(path);
}

function source(token: Token): string {
  if (token.kind === "literal") return quoted(token.character);
  if (token.kind === "one") return "[^/]";
  if (token.kind === "star") return "[^/]*";
  if (token.kind === "folders") return "(?:.*/)?";
  if (token.kind === "rest") return ".*";
  const ranges = token.ranges.map(([low, high]) => `${quoted(low)}-${quoted(high)}`);
  return `[${token.negated ? "^" : ""}${ranges.join("")}]`;
}

const quoted = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/**
 * The same in time pattern × path, by following every place in the pattern at once. Place 2n is before token n, 2n + 1
 * inside it: folders that have begun, and must still end in `/`.
 */
export function follow(tokens: readonly Token[], path: string): boolean {
  let places = new Uint8Array(2 * tokens.length + 1);
  let next = new Uint8Array(places.length);
  places[0] = 1;
  skip(tokens, places);
  for (const character of path) {
    next.fill(0);
    for (let place = 0; place < places.length; place++)
      if (places[place] === 1) step(tokens, place, character, next);
    skip(tokens, next);
    [places, next] = [next, places];
  }
  return places[2 * tokens.length] === 1;
}

/** Marks the places behind wildcards that match nothing. */
function skip(tokens: readonly Token[], places: Uint8Array): void {
  for (const [index, { kind }] of tokens.entries())
    if (places[2 * index] === 1 && (kind === "star" || kind === "folders" || kind === "rest"))
      places[2 * index + 2] = 1;
}

function step(tokens: readonly Token[], place: number, character: string, next: Uint8Array): void {
  const begin = place - (place % 2);
  const token = tokens[begin / 2];
  if (token === undefined) return;
  if (token.kind === "rest") next[place] = 1;
  else if (token.kind === "star") next[place] = character === "/" ? (next[place] ?? 0) : 1;
  else if (token.kind === "folders") {
    next[begin + 1] = 1;
    if (character === "/") next[begin + 2] = 1;
  } else if (accepts(token, character)) next[place + 2] = 1;
}

function accepts(token: Token, character: string): boolean {
  if (token.kind === "literal") return token.character === character;
  if (token.kind !== "class") return character !== "/";
  return token.ranges.some(([low, high]) => low <= character && character <= high) !== token.negated;
}
