/**
 * Regular expressions from users, matched in time linear in the text: a backtracking engine would let one filter
 * value stop the engine. The syntax is the common part of Go's (RE2): literals, `.`, classes, groups, `|`, repetition,
 * `^ $ \A \z \b \B`, `\d \s \w`, POSIX classes, a leading `(?i)`. Captures are not kept.
 */
type Test = (code: number) => boolean;
type Assertion = "start" | "end" | "word" | "notWord";
type Step =
  | { op: "take"; test: Test }
  | { op: "split"; to: number; or: number }
  | { op: "assert"; what: Assertion }
  | { op: "match" };

const stepsMax = 4000;
const repeatMax = 1000;

/** A matcher that is true when the pattern occurs anywhere in the text; undefined for a pattern that is none. */
export function compilePattern(pattern: string): ((text: string) => boolean) | undefined {
  const program = new Compiler(pattern).compile();
  return program === undefined
    ? undefined
    : (text) =>
        run(
          program,
          [...text].map((c) => c.codePointAt(0) ?? 0),
        );
}

/** A pattern that is none; it never leaves this file. */
class Malformed extends Error {}

const isWord: Test = (code) =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
const isDigit: Test = (code) => code >= 48 && code <= 57;
const isSpace: Test = (code) => code === 32 || (code >= 9 && code <= 13 && code !== 11);
const not =
  (test: Test): Test =>
  (code) =>
    !test(code);
const between =
  (...ranges: [string, string][]): Test =>
  (code) =>
    ranges.some(([low, high]) => code >= low.charCodeAt(0) && code <= high.charCodeAt(0));

const escapes: Record<string, Test> = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
};
const controls: Record<string, string> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v", a: "\x07" };
const posix: Record<string, Test> = {
  alpha: between(["a", "z"], ["A", "Z"]),
  alnum: between(["a", "z"], ["A", "Z"], ["0", "9"]),
  digit: isDigit,
  lower: between(["a", "z"]),
  upper: between(["A", "Z"]),
  space: (code) => isSpace(code) || code === 11,
  word: isWord,
  xdigit: between(["a", "f"], ["A", "F"], ["0", "9"]),
  punct: between(["!", "/"], [":", "@"], ["[", "`"], ["{", "~"]),
};

class Compiler {
  private readonly source: string[];
  private at = 0;
  private depth = 0;
  private fold = false;

  constructor(pattern: string) {
    this.source = [...pattern];
  }

  compile(): Step[] | undefined {
    try {
      if (this.source.length > stepsMax) return undefined;
      if (this.source.slice(0, 4).join("") === "(?i)") {
        this.fold = true;
        this.at = 4;
      }
      const steps = this.alternatives();
      return this.at < this.source.length ? undefined : [...steps, { op: "match" }];
    } catch (error) {
      if (error instanceof Malformed) return undefined;
      throw error;
    }
  }

  private peek(): string | undefined {
    return this.source[this.at];
  }

  private next(): string {
    const character = this.source[this.at++];
    if (character === undefined) throw new Malformed();
    return character;
  }

  /** Steps are relative: every `split` counts from itself, so that parts can be put together freely. */
  private alternatives(): Step[] {
    if (++this.depth > 100) throw new Malformed();
    let steps = this.sequence();
    while (this.peek() === "|") {
      this.at++;
      const other = this.sequence();
      const skip: Step = { op: "split", to: other.length + 1, or: other.length + 1 };
      steps = bounded([{ op: "split", to: 1, or: steps.length + 2 }, ...steps, skip, ...other]);
    }
    this.depth--;
    return steps;
  }

  private sequence(): Step[] {
    const parts: Step[] = [];
    for (let character = this.peek(); character !== undefined && character !== "|" && character !== ")"; ) {
      parts.push(...this.repeated(this.atom()));
      bounded(parts);
      character = this.peek();
    }
    return parts;
  }

  private repeated(atom: Step[]): Step[] {
    let steps = atom;
    for (let times = this.repetition(); times; times = this.repetition()) {
      if (this.peek() === "?") this.at++; // lazy or greedy: the same set of texts
      steps = repeat(steps, times);
    }
    return steps;
  }

  private repetition(): { least: number; most: number } | undefined {
    const character = this.peek();
    if (character === "{") return this.counted();
    const most = character === "?" ? 1 : Number.POSITIVE_INFINITY;
    if (character !== "*" && character !== "+" && character !== "?") return undefined;
    this.at++;
    return { least: character === "+" ? 1 : 0, most };
  }

  private counted(): { least: number; most: number } | undefined {
    const match = /^\{(\d{1,4})(?:(,)(\d{1,4})?)?\}/.exec(this.source.slice(this.at, this.at + 12).join(""));
    if (!match) return undefined; // then "{" is itself
    const least = Number(match[1]);
    const open = match[2] === undefined ? least : Number.POSITIVE_INFINITY;
    const most = match[3] === undefined ? open : Number(match[3]);
    if (least > repeatMax || most < least || (most > repeatMax && most !== Number.POSITIVE_INFINITY))
      throw new Malformed();
    this.at += match[0].length;
    return { least, most };
  }

  private atom(): Step[] {
    const character = this.next();
    if (character === "(") return this.group();
    if (character === "[") return [{ op: "take", test: this.characterClass() }];
    if (character === ".") return [{ op: "take", test: (code) => code !== 10 }];
    if (character === "^") return [{ op: "assert", what: "start" }];
    if (character === "$") return [{ op: "assert", what: "end" }];
    if (character === "*" || character === "+" || character === "?") throw new Malformed();
    if (character === "\\") return this.escape();
    return [{ op: "take", test: this.literal(character) }];
  }

  private group(): Step[] {
    const head = /^\?(?::|P?<\w+>)/.exec(this.source.slice(this.at, this.at + 64).join(""));
    if (head) this.at += head[0].length;
    else if (this.peek() === "?") throw new Malformed();
    const steps = this.alternatives();
    if (this.next() !== ")") throw new Malformed();
    return steps;
  }

  private escape(): Step[] {
    const character = this.next();
    const assertion = { A: "start", z: "end", b: "word", B: "notWord" }[character] as Assertion | undefined;
    if (assertion) return [{ op: "assert", what: assertion }];
    return [{ op: "take", test: escapes[character] ?? this.literal(this.escaped(character)) }];
  }

  private escaped(character: string): string {
    const control = controls[character];
    if (control !== undefined) return control;
    if (/\w/.test(character)) throw new Malformed();
    return character;
  }

  private literal(character: string): Test {
    const code = character.codePointAt(0) ?? 0;
    if (!this.fold) return (other) => other === code;
    const codes = new Set(
      [character.toLowerCase(), character.toUpperCase()].map((text) => text.codePointAt(0)),
    );
    return (other) => codes.has(other);
  }

  private characterClass(): Test {
    const negated = this.peek() === "^";
    if (negated) this.at++;
    const tests: Test[] = [];
    while (this.peek() !== "]" || tests.length === 0) tests.push(this.classItem());
    this.at++;
    return (code) => tests.some((test) => test(code)) !== negated;
  }

  private classItem(): Test {
    const named = /^\[:(\^?)(\w+):\]/.exec(this.source.slice(this.at, this.at + 12).join(""));
    if (named) {
      this.at += named[0].length;
      const test = posix[named[2] ?? ""];
      if (!test) throw new Malformed();
      return named[1] ? not(test) : test;
    }
    if (this.peek() === "\\") {
      const test = escapes[this.source[this.at + 1] ?? ""];
      if (test) {
        this.at += 2;
        return test;
      }
    }
    return this.range();
  }

  private range(): Test {
    const low = this.classCharacter();
    if (this.peek() !== "-" || this.source[this.at + 1] === "]") return this.literal(low);
    this.at++;
    const from = low.codePointAt(0) ?? 0;
    const to = this.classCharacter().codePointAt(0) ?? 0;
    if (to < from) throw new Malformed();
    return (code) => code >= from && code <= to;
  }

  private classCharacter(): string {
    const character = this.next();
    return character === "\\" ? this.escaped(this.next()) : character;
  }
}

function bounded(steps: Step[]): Step[] {
  if (steps.length > stepsMax) throw new Malformed();
  return steps;
}

function repeat(steps: Step[], { least, most }: { least: number; most: number }): Step[] {
  if (steps.length * Math.max(least, Number.isFinite(most) ? most : 1) > stepsMax) throw new Malformed();
  const out: Step[] = [];
  for (let n = 0; n < least; n++) out.push(...steps);
  if (!Number.isFinite(most))
    return [
      ...out,
      { op: "split", to: 1, or: steps.length + 2 },
      ...steps,
      { op: "split", to: -steps.length, or: -steps.length - 1 },
    ];
  for (let n = least; n < most; n++) out.push({ op: "split", to: 1, or: steps.length + 1 }, ...steps);
  return out;
}

/** Follows every possible place in the program at once: at most steps × characters. */
function run(program: readonly Step[], text: readonly number[]): boolean {
  let places = new Set<number>();
  for (let at = 0; at <= text.length; at++) {
    if (follow(program, places, 0, text, at)) return true;
    const code = text[at];
    if (code === undefined) return false;
    const after = new Set<number>();
    for (const place of places) {
      const step = program[place];
      if (step?.op === "take" && step.test(code) && follow(program, after, place + 1, text, at + 1))
        return true;
    }
    places = after;
  }
  return false;
}

/** Adds a place and all that is reached from it without taking a character; true at the pattern's end. */
function follow(
  program: readonly Step[],
  places: Set<number>,
  from: number,
  text: readonly number[],
  at: number,
): boolean {
  const open = [from];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (places.has(place)) continue;
    places.add(place);
    const step = program[place];
    if (step?.op === "match") return true;
    if (step?.op === "split") open.push(place + step.to, place + step.or);
    else if (step?.op === "assert" && holds(step.what, text, at)) open.push(place + 1);
  }
  return false;
}

function holds(what: Assertion, text: readonly number[], at: number): boolean {
  if (what === "start") return at === 0;
  if (what === "end") return at === text.length;
  const edge = isWord(text[at - 1] ?? -1) !== isWord(text[at] ?? -1);
  return edge === (what === "word");
}
