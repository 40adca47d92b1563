/** Rows as Go's text/tabwriter aligns them without a least width: all cells but the last end in `padding` blanks. */
export function tableText(rows: readonly (readonly string[])[], padding: number): string {
  const columns = Math.max(...rows.map((row) => row.length)) - 1;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? "")].length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + padding),
      )
      .join("");
  return rows.map((row) => `${line(row)}\n`).join("");
}
