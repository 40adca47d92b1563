/** "did you mean": the nearest of some known words, at most two edits away. */
const distanceMax = 2;
const lengthMax = 64;

/** Undefined when nothing is near, or when the word is one of them (then something else is wrong). */
export function nearest(word: string, known: readonly string[], ignoreCase = false): string | undefined {
  const searched = ignoreCase ? word.toLowerCase() : word;
  if (searched.length > lengthMax) return undefined;
  let best: string | undefined;
  let least = distanceMax + 1;
  for (const each of known) {
    const candidate = ignoreCase ? each.toLowerCase() : each;
    if (candidate === searched) return undefined;
    const distance = editDistance(searched, candidate);
    if (distance >= least) continue;
    least = distance;
    best = ignoreCase ? inCaseOf(word, candidate) : candidate;
  }
  return best;
}

/** The sentence with ` (did you mean x?)` where something is near. */
export function withSuggestion(
  sentence: string,
  word: string,
  known: readonly string[],
  ignoreCase = false,
): string {
  const match = nearest(word, known, ignoreCase);
  return match === undefined ? sentence : `${sentence} (did you mean ${match}?)`;
}

function inCaseOf(word: string, candidate: string): string {
  if (word === word.toLowerCase()) return candidate;
  return word === word.toUpperCase() ? candidate.toUpperCase() : candidate;
}

/** Levenshtein's distance; words whose lengths differ too much are not compared. */
function editDistance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > distanceMax) return distanceMax + 1;
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++)
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1),
      );
    row = next;
  }
  return row[other.length] ?? 0;
}
