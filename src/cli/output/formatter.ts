import type { Value } from "../../lib/go-template/values.ts";
import { alignTabs } from "./tabwriter.ts";

/** One row of a list: what its fields are called in Go, their headers, and how each is made. */
export interface RowKind<T> {
  goType: string;
  /** header of each field; a field without one shows `<no value>` in a table's first row */
  headers: Record<string, string>;
  fields: Record<string, (item: T) => Value>;
  /** methods with arguments, such as `Label "k"` */
  methods?: Record<string, (item: T) => (...args: Value[]) => Value>;
  /** fields left out of `json` */
  notInJson?: string[];
}

export interface ListFormat {
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

/** The fields of such a format; `undefined` for any other. */
export const plainFields = (template: string): string[] | undefined =>
  simpleParts(template)?.filter((_, index) => index % 2 === 1);

/**
 * Rows of texts and fields alone, without the engine of templates, whose loading and running is most of what a list
 * costs. `undefined` where a field is unknown or its value is one that only the engine knows how to print.
 */
function plainRows<T>(kind: RowKind<T>, items: readonly T[], parts: string[]): string[] | undefined {
  const rows: string[] = [];
  for (const item of items) {
    let row = parts[0] ?? "";
    for (let at = 1; at < parts.length; at += 2) {
      const name = parts[at] ?? "";
      const value = Object.hasOwn(kind.fields, name) ? kind.fields[name]?.(item) : undefined;
      if (typeof value !== "string") return undefined;
      row += value + parts[at + 1];
    }
    rows.push(row);
  }
  return rows;
}

function plainHeader<T>(kind: RowKind<T>, parts: string[]): string | undefined {
  let row = parts[0] ?? "";
  for (let at = 1; at < parts.length; at += 2) {
    const header = kind.headers[parts[at] ?? ""];
    if (header === undefined) return undefined;
    row += header + parts[at + 1];
  }
  return row;
}

/** The whole list as text: aligned under its headers for tables, a line a row otherwise. */
export function formatList<T>(kind: RowKind<T>, items: readonly T[], list: ListFormat): string {
  const { isTable, template } = resolveFormat(list);
  const { header, rows } = listRows(kind, items, template);
  if (!isTable) return rows.map((row) => `${row}\n`).join("");
  return `${alignTabs([header(), ...rows].join("\n"))}\n`;
}

function listRows<T>(
  kind: RowKind<T>,
  items: readonly T[],
  template: string,
): { header: () => string; rows: string[] } {
  const parts = simpleParts(template);
  const rows = parts && plainRows(kind, items, parts);
  const header = parts && plainHeader(kind, parts);
  if (rows && header !== undefined) return { header: () => header, rows };
  const { templateRows } = require("./template-rows.ts") as typeof import("./template-rows.ts");
  return templateRows(kind, items, template);
}
