/** "did you mean": the nearest of some known words, at most two edits away. */
const distanceMax = 2;
const lengthMax = 64;
/** among more than these nothing is looked for: whoever writes them could hold up who looks */
const knownMax = 500;

/** Undefined when nothing is near, or when the word is one of them (then something else is wrong). */
export function nearest(word: string, known: readonly string[], ignoreCase = false): string | undefined {
  const searched = ignoreCase ? word.toLowerCase() : word;
  if (searched.length > lengthMax || known.length > knownMax) return undefined;
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

/** Levenshtein's distance, no further than it counts: beside the diagonal, and while some way is short enough. */
function editDistance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > distanceMax) return distanceMax + 1;
  const far = distanceMax + 1;
  let row = Array.from({ length: other.length + 1 }, (_, index) => Math.min(index, far));
  for (let i = 1; i <= one.length; i++) {
    const next: number[] = new Array<number>(other.length + 1).fill(far);
    next[0] = Math.min(i, far);
    let least = next[0];
    const last = Math.min(other.length, i + distanceMax);
    for (let j = Math.max(1, i - distanceMax); j <= last; j++) {
      const distance = Math.min(
        (row[j] ?? far) + 1,
        (next[j - 1] ?? far) + 1,
        (row[j - 1] ?? far) + (one[i - 1] === other[j - 1] ? 0 : 1),
      );
      next[j] = distance;
      least = Math.min(least, distance);
    }
    if (least >= far) return far;
    row = next;
  }
  return row[other.length] ?? far;
}
