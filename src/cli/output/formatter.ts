import { Template } from "../../lib/go-template/template.ts";
import { encodeJson, Struct, type Value } from "../../lib/go-template/values.ts";
import { CliError } from "../errors.ts";
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

export class Row<T> extends Struct {
  readonly goType: string;
  private readonly kind: RowKind<T>;
  private readonly item: T;

  constructor(kind: RowKind<T>, item: T) {
    super();
    this.goType = kind.goType;
    this.kind = kind;
    this.item = item;
  }

  member(name: string): { value: Value } | { method: (...args: Value[]) => Value } | undefined {
    const { fields, methods } = this.kind;
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field) return { value: field(this.item) };
    const method = methods && Object.hasOwn(methods, name) ? methods[name] : undefined;
    return method && { method: method(this.item) };
  }

  toJSON(): unknown {
    const { fields, notInJson = [] } = this.kind;
    const names = Object.keys(fields)
      .filter((name) => !notInJson.includes(name))
      .sort();
    return Object.fromEntries(names.map((name) => [name, fields[name]?.(this.item)]));
  }

  /** Go's encoder escapes `<`, `>` and `&` where a type marshals itself, as docker's rows do. */
  override jsonText(): string {
    return encodeJson(this.toJSON(), true);
  }
}

/** Functions in a table's first row work on header texts, and leave them as they are. */
const headerFunctions = {
  json: (value: Value): Value => value,
  split: (value: Value): Value => value,
  join: (value: Value): Value => value,
  title: (value: Value): Value => value,
  lower: (value: Value): Value => value,
  upper: (value: Value): Value => value,
  pad: (value: Value): Value => value,
  truncate: (value: Value): Value => value,
};

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

export function parseTemplate(source: string): Template {
  try {
    return Template.parse(source);
  } catch (error) {
    throw new CliError(`template parsing error: ${(error as Error).message}`);
  }
}

export function renderWith(template: Template, value: Value): string {
  try {
    return template.render(value);
  } catch (error) {
    throw new CliError(`template parsing error: ${(error as Error).message}`);
  }
}

/** The whole list as text: aligned under its headers for tables, a line a row otherwise. */
export function formatList<T>(kind: RowKind<T>, items: readonly T[], list: ListFormat): string {
  const { isTable, template } = resolveFormat(list);
  const parsed = parseTemplate(template);
  const rows = items.map((item) => renderWith(parsed, new Row(kind, item)));
  if (!isTable) return rows.map((row) => `${row}\n`).join("");
  return `${alignTabs([headerRow(kind, parsed), ...rows].join("\n"))}\n`;
}

export function headerRow<T>(kind: RowKind<T>, template: Template): string {
  const data: Record<string, Value> = { ...kind.headers };
  for (const name of Object.keys(kind.methods ?? {})) data[name] = headerOfLabel;
  return template.with({ functions: headerFunctions, strictKeys: false }).render(data);
}

/** `{{.Label "com.example.some-name"}}` is headed `some name`. */
const headerOfLabel = (name: Value): string => String(name).split(".").at(-1)?.replace(/[-_]/g, " ") ?? "";
