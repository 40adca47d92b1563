import type { WireLines } from "../../../types/local-build.ts";
import type { Place } from "./column.ts";

const rule = "--------------------";

/**
 * The lines of a Dockerfile around some of them, those marked with `>>>`, as BuildKit's clients print them. With a place, a
 * caret below it, and its column in the head, as editors open it.
 */
export function excerpt(name: string, text: string, { start, end }: WireLines, place?: Place): string {
  const lines = text.split("\n");
  if (start < 1 || start > lines.length) return "";
  const last = Math.min(end, lines.length);
  const { from, to } = window(lines.length, start, last);
  const shown = lines.slice(from - 1, to).flatMap((line, index) => {
    const number = from + index;
    const marked = number >= start && number <= last;
    const told = `${String(number).padStart(4)} | ${marked ? ">>>" : "   "} ${line.replace(/\r$/, "")}`;
    return place?.line === number ? [told, `     |     ${caret(line, place.column)}`] : [told];
  });
  const head = place === undefined ? `${name}:${start}` : `${name}:${place.line}:${place.column}`;
  return [head, rule, ...shown, rule, ""].join("\n");
}

/** Below a column of a line, whatever its tabs come to. */
const caret = (line: string, column: number): string =>
  `${line.slice(0, column - 1).replace(/[^\t]/g, " ")}^`;

/** Grows by a line at both ends until enough is shown around: more around one line than around several. */
function window(count: number, start: number, end: number): { from: number; to: number } {
  let from = start;
  let to = end;
  for (let shown = 0; shown < (start === end ? 4 : 2); shown++) {
    if (from > 1) {
      from--;
      shown++;
    }
    if (to !== count) {
      to++;
      shown++;
    }
  }
  return { from, to };
}
