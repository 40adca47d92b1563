import { type FlagTable, longName, shortName } from "./flag.ts";

/** The options of a command in pflag's layout: aligned, and wrapped to `width` columns. */
export function describeFlags(table: FlagTable, width: number): string {
  const shown = Object.values(table)
    .filter((flag) => !flag.hidden && !flag.deprecated)
    .sort((a, b) => (longName(a) < longName(b) ? -1 : 1));
  const lines = shown.map((flag) => {
    const short = shortName(flag);
    const start = short ? `  -${short}, --${longName(flag)}` : `      --${longName(flag)}`;
    const shownDefault = flag.shownDefault === undefined ? "" : ` (default ${flag.shownDefault})`;
    return { start: flag.type ? `${start} ${flag.type}` : start, usage: flag.usage + shownDefault };
  });
  const column = Math.max(0, ...lines.map(({ start }) => start.length)) + 3;
  return lines
    .map(({ start, usage }) => (start.padEnd(column) + wrap(usage, column, width)).replace(/ +\n/, "\n"))
    .join("\n");
}

/** A column of text that is narrower is hard to read: it goes below the option instead. */
const roomMin = 24;
const indentBelow = 10;

/** Breaks text at spaces so that no line passes `width`; lines after the first are indented to `indent`. */
function wrap(text: string, indent: number, width: number): string {
  const below = width - indent < roomMin;
  const column = below ? indentBelow : indent;
  const lines = text.split("\n").flatMap((line) => breakLine(line, width - column));
  return (below ? ["", ...lines] : lines).join(`\n${" ".repeat(column)}`);
}

/** Broken at spaces, with no line over `room` where no word is. */
export function breakLine(line: string, room: number): string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ")) {
    if (current && current.length + 1 + word.length > room) {
      lines.push(current);
      current = word;
    } else current = current ? `${current} ${word}` : word;
  }
  return [...lines, current];
}
