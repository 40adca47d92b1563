/**
 * Go's text/tabwriter with docker's settings: cells end with a tab, a column is a run of lines that have that cell,
 * each column is as wide as its widest cell and three spaces, at least ten.
 */
export function alignTabs(text: string, minimum = 10, padding = 3): string {
  const lines: string[][] = [];
  const widths: number[][] = [];
  for (const line of text.split("\n")) {
    lines.push(line.split("\t"));
    widths.push([]);
  }
  const wide = hasPairs(text);
  measure(lines, widths, 0, lines.length, 0, { minimum, padding, wide });
  let aligned = "";
  for (let row = 0; row < lines.length; row++)
    aligned += `${row === 0 ? "" : "\n"}${joinCells(lines[row] ?? [], widths[row] ?? [], wide)}`;
  return aligned;
}

/**
 * The same for cells that are columns already. `undefined` where a cell has a tab or a line's end, which would make other
 * cells of it, or characters of two code units.
 */
export function alignColumns(columns: readonly string[][], minimum = 10, padding = 3): string | undefined {
  for (const cells of columns) if (/[\t\n\ud800-\udbff]/.test(cells.join(""))) return undefined;
  const [last = []] = columns.slice(-1);
  const lines: string[] = new Array<string>(last.length).fill("");
  for (const cells of columns.slice(0, -1)) append(lines, cells, widest(cells, minimum - padding) + padding);
  for (let row = 0; row < lines.length; row++) lines[row] += last[row] ?? "";
  return lines.join("\n");
}

function widest(cells: readonly string[], least: number): number {
  let width = least;
  for (const cell of cells) if (cell.length > width) width = cell.length;
  return width;
}

function append(lines: string[], cells: readonly string[], width: number): void {
  for (let row = 0; row < lines.length; row++) lines[row] += (cells[row] ?? "").padEnd(width);
}

function measure(
  lines: string[][],
  widths: number[][],
  from: number,
  to: number,
  column: number,
  size: { minimum: number; padding: number; wide: boolean },
): void {
  for (let row = from; row < to; row++) {
    // the last cell of a line is not ended by a tab and belongs to no column
    if (column >= (lines[row]?.length ?? 0) - 1) continue;
    let end = row;
    let width = size.minimum;
    for (; end < to && column < (lines[end]?.length ?? 0) - 1; end++) {
      const cell = lines[end]?.[column] ?? "";
      const columns = (size.wide ? codePoints(cell) : cell.length) + size.padding;
      if (columns > width) width = columns;
    }
    for (let each = row; each < end; each++) (widths[each] ?? [])[column] = width;
    measure(lines, widths, row, end, column + 1, size);
    row = end - 1;
  }
}

/** Whether a text has characters of two code units; the expression is set up only where not all of it is ASCII. */
const hasPairs = (text: string): boolean =>
  new TextEncoder().encode(text).length > text.length && /[\ud800-\udbff]/.test(text);

/** A text's columns where some of a table's texts have characters of two code units (`wide`). */
const codePoints = (text: string): number => [...text].length;

function joinCells(cells: string[], widths: number[], wide: boolean): string {
  let line = "";
  for (let column = 0; column < cells.length - 1; column++) {
    const cell = cells[column] ?? "";
    line += cell.padEnd((widths[column] ?? 0) + (wide ? cell.length - codePoints(cell) : 0));
  }
  return line + (cells.at(-1) ?? "");
}
