import { DockerfileError, lineRange } from "./error.ts";

/** Longest line, in bytes, its end included: BuildKit's limit. */
const lineMax = 65_536;

/** The lines of a text one after another, each with its line end. */
export class LineReader {
  /** number of the line last read, 1-based; 0 = none yet */
  number = 0;
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  next(): string | undefined {
    if (this.at >= this.text.length) return undefined;
    const end = this.text.indexOf("\n", this.at);
    const after = end < 0 ? this.text.length : end + 1;
    const line = this.text.slice(this.at, after);
    if (line.length * 3 > lineMax && new TextEncoder().encode(line).length > lineMax)
      throw new DockerfileError(`dockerfile line greater than max allowed size of ${lineMax - 1}`, [
        lineRange(this.number),
      ]);
    this.at = after;
    this.number++;
    return line;
  }
}

export const withoutLineEnd = (line: string): string => line.replace(/[\r\n]+$/, "");

export const isComment = (line: string): boolean => /^\s*#/.test(line);

/** The line without its trailing escape character, where it has one that is not itself escaped. */
export function continued(line: string, escapeToken: string): string | undefined {
  const end = line.replace(/[ \t]+$/, "");
  return end.endsWith(escapeToken) && end.at(-2) !== escapeToken ? end.slice(0, -1) : undefined;
}
