import type { Heredoc } from "./ast.ts";
import { expand } from "./words.ts";

/** `<<EOF`, `<<-EOF`, `<<"EOF"` as words of ADD, COPY and RUN (https://docs.docker.com/reference/dockerfile/#here-documents). */
const nothing = new Map<string, string>();

/** Undefined for a word that is no heredoc mark. Errors (an unclosed quote) are `invalid`. */
export function parseHeredocMark(word: string): Omit<Heredoc, "content"> | undefined {
  const [, dash, rest] = /^\d*<<(-?)\s*([^<]*)$/.exec(word) ?? [];
  if (rest === undefined || rest === "") return undefined;
  const plain = expand(rest, nothing, { keepUnset: true }).words;
  const [name] = plain;
  if (plain.length !== 1 || name === undefined) return undefined;
  const [raw = ""] = expand(rest, nothing, { keepUnset: true, rawQuotes: true }).words;
  return { name, stripTabs: dash === "-", expand: quotes(name) === quotes(raw) };
}

/** The marks of a line, in order; quoted text holds none. */
export function heredocMarks(line: string): Omit<Heredoc, "content">[] {
  const words = expand(line, nothing, { keepUnset: true, rawQuotes: true, rawEscapes: true }).words;
  return words.map(parseHeredocMark).filter((mark) => mark !== undefined);
}

/** What a heredoc says: with `<<-` its lines lose their leading tabs. */
export const heredocText = ({ content, stripTabs }: Pick<Heredoc, "content" | "stripTabs">): string =>
  stripTabs ? content.replace(/^\t+/gm, "") : content;

const quotes = (text: string): number => text.match(/['"]/g)?.length ?? 0;
