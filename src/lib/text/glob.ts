import { EngineError } from "../errors.ts";

/**
 * Shell patterns over `/`-separated names, as Go's path.Match: `*` and `?` match anything but `/`, `[a-z]` and
 * `[^a-z]` one character of a class, `\` takes the next character as it is. Time is at most pattern × name.
 */
type Token = { kind: "star" } | { kind: "one"; matches: (character: string) => boolean };

const badPattern = (): EngineError => new EngineError("invalid", "syntax error in pattern");

/** Throws `invalid` ("syntax error in pattern") for a pattern that is none. */
export function matchGlob(pattern: string, name: string): boolean {
  const tokens = parse([...pattern]);
  const characters = [...name];
  let token = 0;
  let at = 0;
  let starToken = -1;
  let starAt = 0;
  while (at < characters.length || token < tokens.length) {
    const current = tokens[token];
    const character = characters[at];
    if (current?.kind === "star") {
      starToken = token++;
      starAt = at;
    } else if (character !== undefined && current?.matches(character)) {
      token++;
      at++;
    } else if (starToken >= 0 && starAt < characters.length && characters[starAt] !== "/") {
      token = starToken + 1;
      at = ++starAt;
    } else return false;
  }
  return true;
}

function parse(pattern: string[]): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < pattern.length) {
    const character = pattern[at++] ?? "";
    if (character === "*") tokens.push({ kind: "star" });
    else if (character === "?") tokens.push({ kind: "one", matches: (other) => other !== "/" });
    else if (character === "[") {
      const [matches, end] = parseClass(pattern, at);
      tokens.push({ kind: "one", matches });
      at = end;
    } else {
      const [literal, end] = character === "\\" ? taken(pattern, at) : [character, at];
      tokens.push({ kind: "one", matches: (other) => other === literal });
      at = end;
    }
  }
  return tokens;
}

function taken(pattern: string[], at: number): [string, number] {
  const character = pattern[at];
  if (character === undefined) throw badPattern();
  return [character, at + 1];
}

function parseClass(pattern: string[], start: number): [(character: string) => boolean, number] {
  const ranges: [string, string][] = [];
  const negated = pattern[start] === "^";
  let at = negated ? start + 1 : start;
  while (pattern[at] !== "]" || ranges.length === 0) {
    const [low, afterLow] = classCharacter(pattern, at);
    const [high, afterHigh] =
      pattern[afterLow] === "-" ? classCharacter(pattern, afterLow + 1) : [low, afterLow];
    ranges.push([low, high]);
    at = afterHigh;
  }
  const within = (character: string) => ranges.some(([low, high]) => low <= character && character <= high);
  return [(character) => within(character) !== negated, at + 1];
}

function classCharacter(pattern: string[], at: number): [string, number] {
  const character = pattern[at];
  if (character === undefined || character === "-" || character === "]") throw badPattern();
  return character === "\\" ? taken(pattern, at + 1) : [character, at + 1];
}
