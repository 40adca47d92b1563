/**
 * Go's text/tabwriter with docker's settings: cells end with a tab, a column is a run of lines that have that cell,
 * each column is as wide as its widest cell and three spaces, at least ten.
 */
export function alignTabs(text: string, minimum = 10, padding = 3): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const widths: number[][] = lines.map(() => []);
  measure(lines, widths, 0, lines.length, 0, { minimum, padding });
  let aligned = "";
  for (let row = 0; row < lines.length; row++)
    aligned += `${row === 0 ? "" : "\n"}${joinCells(lines[row] ?? [], widths[row] ?? [])}`;
  return aligned;
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
    // the last cell of a line is not ended by a tab and belongs to no column
    if (column >= (lines[row]?.length ?? 0) - 1) continue;
    let end = row;
    let width = size.minimum;
    for (; end < to && column < (lines[end]?.length ?? 0) - 1; end++)
      width = Math.max(width, displayWidth(lines[end]?.[column] ?? "") + size.padding);
    for (let each = row; each < end; each++) (widths[each] ?? [])[column] = width;
    measure(lines, widths, row, end, column + 1, size);
    row = end - 1;
  }
}

/** Code points, counted one by one only where there can be fewer than code units. */
const displayWidth = (text: string): number =>
  /[\ud800-\udbff]/.test(text) ? [...text].length : text.length;

function joinCells(cells: string[], widths: number[]): string {
  let line = "";
  for (let column = 0; column < cells.length - 1; column++) {
    const cell = cells[column] ?? "";
    line += cell + " ".repeat((widths[column] ?? 0) - displayWidth(cell));
  }
  return line + (cells.at(-1) ?? "");
}
