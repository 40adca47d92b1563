import { matchEnds, type PatternToken, parseShellPattern } from "./pattern.ts";

/** `${v#p}` `${v##p}` `${v%p}` `${v%%p}` and `${v/p/r}` `${v//p/r}`. Errors are `WordError`. */

/** Why a word cannot be expanded; `words.ts` puts the word in front. */
export class WordError extends Error {}

/** Characters that variables may add to a file, all its words together: `x=$x$x` doubles with each step. */
const expansionMax = 4 << 20;

export class ExpansionBudget {
  private left = expansionMax;

  /** Throws once all that was taken is too much. */
  take(text: string): string {
    this.left -= text.length;
    if (this.left < 0) throw new WordError("the expansion is too long");
    return text;
  }
}

/** Longest value that a pattern is tried on; the time is quadratic in it. */
const patternValueMax = 4096;

/** `word` is the pattern, with the modifier once more in front for the longest match. */
export function removeAffix(value: string, word: string, modifier: string): string {
  const longest = word.startsWith(modifier);
  const tokens = pattern(longest ? word.slice(1) : word);
  const fromEnd = modifier === "%";
  const text = [...checked(value)];
  const ends = fromEnd ? matchEnds(tokens.toReversed(), text.toReversed(), 0) : matchEnds(tokens, text, 0);
  const length = longest ? ends.at(-1) : ends[0];
  if (length === undefined) return value;
  return (fromEnd ? text.slice(0, text.length - length) : text.slice(length)).join("");
}

export function replaceMatches(value: string, word: string, replacement: string, all: boolean): string {
  const tokens = pattern(word);
  const text = [...checked(value)];
  let out = "";
  let afterMatch = -1;
  for (let at = 0; at <= text.length; ) {
    const end = matchEnds(tokens, text, at).at(-1);
    if (end === undefined || (end === at && at === afterMatch)) {
      out += text[at++] ?? "";
      continue;
    }
    out += replacement;
    if (!all) return out + text.slice(end).join("");
    if (out.length > expansionMax) throw new WordError("the expansion is too long");
    if (end === at) out += text[at++] ?? "";
    else at = end;
    afterMatch = end;
  }
  return out;
}

function pattern(word: string): PatternToken[] {
  try {
    return parseShellPattern(word);
  } catch (error) {
    if (error instanceof WordError) throw error;
    throw new WordError(
      `invalid pattern (${word}) in substitution: ${error instanceof Error ? error.message : ""}`,
    );
  }
}

function checked(value: string): string {
  if (value.length <= patternValueMax) return value;
  throw new WordError(`a value of ${value.length} characters is too long for a pattern`);
}
