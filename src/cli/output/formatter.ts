import type { Value } from "../../lib/go/template/values.ts";
import type { RowKind } from "./row-kind.ts";
import { alignColumns, alignTabs } from "./tabwriter.ts";

interface ListFormat {
  /** as given by --format or the configuration; empty for the default */
  format: string;
  quiet?: boolean;
  /** the default table's columns, without the word `table` */
  table: string;
  /** template of one row under --quiet */
  quietTemplate?: string;
  /** template of `raw` */
  raw?: string;
}

/** What `--format` asks for, once `table`, `json` and `raw` are spelled out. */
export function resolveFormat({ format, quiet, table, quietTemplate, raw }: ListFormat): {
  isTable: boolean;
  template: string;
} {
  if (format === "" || format === "table") {
    return quiet && quietTemplate !== undefined
      ? { isTable: false, template: quietTemplate }
      : { isTable: true, template: table };
  }
  if (format.startsWith("table"))
    return { isTable: true, template: unescapeFormat(format.slice("table".length).replace(/^[ \t]+/, "")) };
  if (format === "json") return { isTable: false, template: "{{json .}}" };
  if (format === "raw" && raw !== undefined) return { isTable: false, template: raw };
  return { isTable: false, template: unescapeFormat(format) };
}

/** `\t` and `\n` written out on a command line. */
export const unescapeFormat = (format: string): string =>
  format.trim().replaceAll("\\t", "\t").replaceAll("\\n", "\n");

/** A format of texts and plain fields, which most are: their parts, fields at the odd places. */
function simpleParts(template: string): string[] | undefined {
  const parts = template.split(/\{\{\.(\w+)\}\}/);
  return parts.some((part) => part.includes("{{") || part.includes("}}")) ? undefined : parts;
}

function fieldsIn(parts: readonly string[]): string[] {
  const names: string[] = [];
  for (let at = 1; at < parts.length; at += 2) names.push(parts[at] ?? "");
  return names;
}

/** The fields of such a format; `undefined` for any other. */
export function plainFields(template: string): string[] | undefined {
  const parts = simpleParts(template);
  return parts && fieldsIn(parts);
}

/**
 * Whether a template is made of texts and fields that are texts, each once, and reads the same wherever it is rendered: so
 * what it makes of a list is not many times as long.
 */
export function isPlain<T>({ fields, notPlain }: RowKind<T>, template: string): boolean {
  const names = plainFields(template);
  if (names === undefined || new Set(names).size < names.length) return false;
  return names.every((name) => Object.hasOwn(fields, name) && !notPlain?.includes(name));
}

/**
 * The columns of texts and fields alone, without the engine of templates, whose loading and running is most of what a
 * list costs. `undefined` where a field is unknown or its value is one that only the engine knows how to print.
 */
function plainColumns<T>(
  kind: RowKind<T>,
  items: readonly T[],
  names: readonly string[],
): string[][] | undefined {
  const columns: string[][] = [];
  for (const name of names) {
    const cells = own(kind.columns, name)?.(items) ?? cellsOf(own(kind.fields, name), items);
    if (!cells) return undefined;
    columns.push(cells);
  }
  return columns;
}

function cellsOf<T>(field: ((item: T) => Value) | undefined, items: readonly T[]): string[] | undefined {
  const cells: string[] = [];
  for (const item of items) {
    const value = field?.(item);
    if (typeof value !== "string") return undefined;
    cells.push(value);
  }
  return cells;
}

const own = <V>(record: Record<string, V> | undefined, name: string): V | undefined =>
  record && Object.hasOwn(record, name) ? record[name] : undefined;

/** Rows of a format's texts and the cells of its fields. */
function joinRows(parts: readonly string[], columns: readonly string[][], count: number): string[] {
  const rows: string[] = [];
  for (let row = 0; row < count; row++) rows.push(parts[0] ?? "");
  for (let column = 0; column < columns.length; column++) {
    const cells = columns[column] ?? [];
    const text = parts[2 * column + 2] ?? "";
    for (let row = 0; row < count; row++) rows[row] += (cells[row] ?? "") + text;
  }
  return rows;
}

/** Columns under their headers; `undefined` where one has none. */
function plainTable<T>(
  kind: RowKind<T>,
  parts: readonly string[],
  columns: readonly string[][],
  count: number,
): string | undefined {
  const headers = fieldsIn(parts).map((name) => own(kind.headers, name));
  for (let column = 0; column < columns.length; column++) {
    const header = headers[column];
    if (header === undefined) return undefined;
    columns[column]?.unshift(header);
  }
  const last = parts.length - 1;
  const tabsOnly = parts.every((part, at) => at % 2 === 1 || part === (at === 0 || at === last ? "" : "\t"));
  const aligned = tabsOnly ? alignColumns(columns) : undefined;
  return aligned ?? alignTabs(joinRows(parts, columns, count + 1).join("\n"));
}

/** The whole list as text: aligned under its headers for tables, a line a row otherwise. */
export function formatList<T>(kind: RowKind<T>, items: readonly T[], list: ListFormat): string {
  const { isTable, template } = resolveFormat(list);
  const parts = simpleParts(template);
  const columns = parts && plainColumns(kind, items, fieldsIn(parts));
  if (columns && !isTable) return lines(joinRows(parts, columns, items.length));
  const table = columns && plainTable(kind, parts, columns, items.length);
  if (table !== undefined) return `${table}\n`;
  const { templateRows } = require("./template-rows.ts") as typeof import("./template-rows.ts");
  const { header, rows } = templateRows(kind, items, template);
  return isTable ? `${alignTabs([header(), ...rows].join("\n"))}\n` : lines(rows);
}

const lines = (rows: readonly string[]): string => (rows.length === 0 ? "" : `${rows.join("\n")}\n`);
