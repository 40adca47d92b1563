import type { WireLines } from "../../../types/local-build.ts";

export interface Place {
  /** 1-based, the column in UTF-16 units as editors count it */
  line: number;
  column: number;
}

/**
 * Where in the marked lines stands what a sentence complains of: the instruction, the flag or the quoted word that it
 * names. Undefined where it names none, or one that is there more than once: a wrong place is worse than none.
 */
export function placeOf(sentence: string, text: string, { start, end }: WireLines): Place | undefined {
  const lines = text.split("\n").slice(start - 1, end);
  for (const word of wordsNamed(sentence)) {
    const places = lines.flatMap((line, index) =>
      columnsOf(line, word).map((column) => ({ line: start + index, column })),
    );
    if (places.length === 1) return places[0];
  }
  return undefined;
}

function wordsNamed(sentence: string): string[] {
  // what a process was started with, which is most of its line
  if (sentence.startsWith('process "')) return [];
  const keyword = /unknown (?:instruction|flag): (\S+)/.exec(sentence)?.[1];
  const quoted = [...sentence.matchAll(/"([^"\s]+)"|'([^'\s]+)'/g)].flatMap(
    ([, one, other]) => one ?? other ?? [],
  );
  // sources are told from the root of their tree
  const words = [...(keyword === undefined ? [] : [keyword]), ...quoted.toReversed()];
  return words.flatMap((word) => (word.startsWith("/") ? [word, word.slice(1)] : [word])).filter(Boolean);
}

/** 1-based, of whole words alone, whatever their case. */
function columnsOf(line: string, word: string): number[] {
  const [hay, needle] = [line.toUpperCase(), word.toUpperCase()];
  const isWordAt = (at: number): boolean => !/[\w./-]/.test(hay[at] ?? " ");
  const found: number[] = [];
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + 1))
    if (isWordAt(at - 1) && isWordAt(at + needle.length)) found.push(at + 1);
  return found;
}
