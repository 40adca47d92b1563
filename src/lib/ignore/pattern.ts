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
  // most paths do not even have the letters: that is seen at once
  const letters = longestLetters(tokens);
  if (count("folders") > foldersMax || count("star") > starsMax)
    return (path) => path.includes(letters) && follow(tokens, path);
  const expression = new RegExp(`^${tokens.map(source).join("")}$`, "su");
  return (path) => path.includes(letters) && expression.test(path);
}

/** The longest run of characters that a path has to hold as it is. */
function longestLetters(tokens: readonly Token[]): string {
  let longest = "";
  let run = "";
  for (const token of tokens) {
    run = token.kind === "literal" ? run + token.character : "";
    if (run.length > longest.length) longest = run;
  }
  return longest;
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

/** Which places of a pattern are taken, and in what order they were: emptied without touching each. */
class Places {
  readonly list: number[] = [];
  private marks = new Uint32Array(64);
  private mark = 0;

  clear(size: number): void {
    this.list.length = 0;
    if (this.marks.length < size || this.mark === 0xffffffff) {
      this.marks = new Uint32Array(Math.max(size, this.marks.length));
      this.mark = 0;
    }
    this.mark++;
  }

  has(place: number): boolean {
    return this.marks[place] === this.mark;
  }

  add(place: number): void {
    this.marks[place] = this.mark;
    this.list.push(place);
  }
}

/** One pattern at a time is followed. */
let now = new Places();
let next = new Places();

/**
 * The same in time pattern × path at the most, by following every place in the pattern at once. Place 2n is before token n,
 * 2n + 1 inside it: folders that have begun, and must still end in `/`.
 */
export function follow(tokens: readonly Token[], path: string): boolean {
  const size = 2 * tokens.length + 1;
  now.clear(size);
  reach(tokens, 0, now);
  for (const character of path) {
    next.clear(size);
    for (const place of now.list) step(tokens, place, character, next);
    [now, next] = [next, now];
    if (now.list.length === 0) return false;
  }
  return now.has(2 * tokens.length);
}

/** Comes to a place, and to those behind wildcards that match nothing. */
function reach(tokens: readonly Token[], from: number, places: Places): void {
  for (let place = from; !places.has(place); place += 2) {
    places.add(place);
    const kind = place % 2 === 0 ? tokens[place / 2]?.kind : undefined;
    if (kind !== "star" && kind !== "folders" && kind !== "rest") return;
  }
}

function step(tokens: readonly Token[], place: number, character: string, to: Places): void {
  const begin = place - (place % 2);
  const token = tokens[begin / 2];
  if (token === undefined) return;
  if (token.kind === "rest") reach(tokens, place, to);
  else if (token.kind === "star") {
    if (character !== "/") reach(tokens, place, to);
  } else if (token.kind === "folders") {
    reach(tokens, begin + 1, to);
    if (character === "/") reach(tokens, begin + 2, to);
  } else if (accepts(token, character)) reach(tokens, place + 2, to);
}

function accepts(token: Token, character: string): boolean {
  if (token.kind === "literal") return token.character === character;
  if (token.kind !== "class") return character !== "/";
  return token.ranges.some(([low, high]) => low <= character && character <= high) !== token.negated;
}
