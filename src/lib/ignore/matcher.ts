import { posix } from "node:path";
import { EngineError } from "../errors.ts";
import { compileTokens, parseIgnorePattern, type Token } from "./pattern.ts";

interface Rule {
  /** place in the list that was given */
  index: number;
  /** `!`: what it matches is in after all */
  again: boolean;
  matches: (path: string) => boolean;
  /** the part before the first wildcard */
  literal: string;
  /** everything behind `literal` is `/**` or nothing */
  isPlain: boolean;
}

/** Which rules a folder, or one above it, matched; the starting point for what it holds. */
export type FolderMatch = readonly boolean[];

/**
 * Ignore patterns over the paths of a context: the last pattern that matches a path or a folder above it decides.
 * Paths are relative, with `/` and without `./`. Semantics of moby's patternmatcher.
 */
export class IgnoreMatcher {
  /** some pattern begins with `!` */
  readonly reincludes: boolean;
  private readonly rules: Rule[];

  /** Throws `invalid` for a pattern that is none. */
  constructor(patterns: readonly string[]) {
    if (patterns.length > patternsMax)
      throw new EngineError("invalid", `there are more than ${patternsMax} ignore patterns`);
    this.rules = patterns.flatMap((pattern, index) => ruleOf(pattern, index) ?? []);
    this.reincludes = this.rules.some(({ again }) => again);
  }

  /** Whether a path is kept out. */
  excludes(path: string): boolean {
    return this.decide(path).excluded;
  }

  /** Place in the given list of the pattern that decides; undefined where none matches. */
  why(path: string): number | undefined {
    const { match } = this.decide(path);
    let excluded = false;
    let deciding: number | undefined;
    for (const [place, { again, index }] of this.rules.entries()) {
      if (!match[place] || again !== excluded) continue;
      excluded = !again;
      deciding = index;
    }
    return deciding;
  }

  /** For walking a tree: the same from what the folder above matched; `folder` of the root is undefined. */
  step(path: string, folder: FolderMatch | undefined): { excluded: boolean; match: FolderMatch } {
    let excluded = false;
    const match = this.rules.map((rule, place) => {
      const matched = (folder?.[place] ?? false) || (rule.again === excluded && rule.matches(path));
      if (matched) excluded = !rule.again;
      return matched;
    });
    return { excluded, match };
  }

  /** Whether a folder that is kept out may hold something that is in after all. */
  mayReinclude(folder: string): boolean {
    const below = `${folder}/`;
    return this.rules.some(
      ({ again, literal, isPlain }) =>
        again &&
        (isPlain ? `${literal}/`.startsWith(below) : literal.startsWith(below) || below.startsWith(literal)),
    );
  }

  /** From the top folder down. */
  private decide(path: string): { excluded: boolean; match: FolderMatch } {
    let state: { excluded: boolean; match: FolderMatch } = { excluded: false, match: [] };
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1))
      state = this.step(path.slice(0, end), state.match);
    return this.step(path, state.match);
  }
}

/** Sixteen times what a path can be (PATH_MAX): what is longer is no pattern but an attempt on our memory. */
const patternMax = 64 << 10;
/** Each is some kilobytes once it is read, and every path is tried on each. */
const patternsMax = 10_000;

function ruleOf(text: string, index: number): Rule | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (trimmed.length > patternMax)
    throw new EngineError(
      "invalid",
      `an ignore pattern of ${trimmed.length} characters is too long: ${patternMax} are the most`,
    );
  const clean = posix.normalize(trimmed).replace(/(.)\/+$/, "$1");
  const again = clean.startsWith("!");
  const pattern = again ? clean.slice(1) : clean;
  if (again && pattern === "") throw new EngineError("invalid", 'illegal exclusion pattern: "!"');
  const tokens = parseIgnorePattern(pattern);
  return { index, again, matches: compileTokens(tokens), ...beginning(tokens) };
}

function beginning(tokens: readonly Token[]): { literal: string; isPlain: boolean } {
  const wild = tokens.findIndex(({ kind }) => kind !== "literal");
  const end = wild < 0 ? tokens.length : wild;
  const text = tokens.slice(0, end).map((token) => (token.kind === "literal" ? token.character : ""));
  const literal = text.join("");
  const onlyRest = tokens.length === end + 1 && tokens[end]?.kind === "rest" && literal.endsWith("/");
  return { literal: onlyRest ? literal.slice(0, -1) : literal, isPlain: wild < 0 || onlyRest };
}
