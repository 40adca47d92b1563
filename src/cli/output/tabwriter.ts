/**
 * Go's text/tabwriter with docker's settings: cells end with a tab, a column is a run of lines that have that cell,
 * each column is as wide as its widest cell and three spaces, at least ten.
 */
export function alignTabs(text: string, minimum = 10, padding = 3): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const widths: number[][] = lines.map(() => []);
  measure(lines, widths, 0, lines.length, 0, { minimum, padding });
  return lines.map((cells, row) => joinCells(cells, widths[row] ?? [])).join("\n");
}

function measure(
  lines: string[][],
  widths: number[][],
  from: number,
  to: number,
  column: number,
  size: { minimum: number; padding: number },
): void {
  for (let row = from; row < to; row++) {
    if (!hasColumn(lines[row], column)) continue;
    let end = row;
    let width = size.minimum;
    for (; end < to && hasColumn(lines[end], column); end++)
      width = Math.max(width, displayWidth(lines[end]?.[column] ?? "") + size.padding);
    for (let each = row; each < end; each++) (widths[each] ?? [])[column] = width;
    measure(lines, widths, row, end, column + 1, size);
    row = end - 1;
  }
}

/** The last cell of a line is not ended by a tab and belongs to no column. */
const hasColumn = (cells: string[] | undefined, column: number): boolean =>
  cells !== undefined && column < cells.length - 1;

const displayWidth = (text: string): number => [...text].length;

const joinCells = (cells: string[], widths: number[]): string =>
  cells
    .map((cell, column) =>
      column < cells.length - 1 ? cell + " ".repeat((widths[column] ?? 0) - displayWidth(cell)) : cell,
    )
    .join("");
