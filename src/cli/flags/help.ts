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
  return lines.map(({ start, usage }) => start.padEnd(column) + wrap(usage, column, width)).join("\n");
}

/** Breaks text at spaces so that no line passes `width`; lines after the first are indented to `indent`. */
function wrap(text: string, indent: number, width: number): string {
  const room = width - indent < 24 ? Number.POSITIVE_INFINITY : width - indent;
  const lines = text.split("\n").flatMap((line) => breakLine(line, room));
  return lines.join(`\n${" ".repeat(indent)}`);
}

function breakLine(line: string, room: number): string[] {
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
