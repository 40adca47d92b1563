const zero = 48;
const isDigit = (code: number): boolean => code >= zero && code < zero + 10;

/**
 * Docker's order of names: numbers by their value and before all else, the rest by its characters. Of equal numbers the
 * one with fewer zeros before it comes first.
 */
export function compareNaturally(a: string, b: string): number {
  for (let at = 0; ; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (Number.isNaN(left) || Number.isNaN(right)) return a.length - b.length;
    if (isDigit(left) !== isDigit(right)) return isDigit(left) ? -1 : 1;
    if (!isDigit(left) && left !== right) return left - right;
    if (!isDigit(left)) continue;
    const [one, other] = [numberAt(a, at), numberAt(b, at)];
    if (one.text !== other.text) return compareNumbers(one, other);
    at += one.text.length - 1;
  }
}

interface Digits {
  text: string;
  /** without the zeros before it */
  value: string;
}

function numberAt(text: string, start: number): Digits {
  let first = start;
  while (text.charCodeAt(first) === zero) first++;
  let end = first;
  while (isDigit(text.charCodeAt(end))) end++;
  return { text: text.slice(start, end), value: text.slice(first, end) };
}

function compareNumbers(a: Digits, b: Digits): number {
  if (a.value.length !== b.value.length) return a.value.length - b.value.length;
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return a.text.length - b.text.length;
}
