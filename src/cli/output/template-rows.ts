import { Template } from "../../lib/go/template/template.ts";
import { encodeJson, Struct, type Value } from "../../lib/go/template/values.ts";
import { CliError } from "../errors.ts";
import type { RowKind } from "./row-kind.ts";

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
    const { fields, notInJson = [], isStructure } = this.kind;
    const names = Object.keys(fields).filter((name) => !notInJson.includes(name));
    if (!isStructure) names.sort();
    return Object.fromEntries(names.map((name) => [name, fields[name]?.(this.item)]));
  }

  /** Go's encoder escapes `<`, `>` and `&` where a type marshals itself, as docker's rows do. */
  override jsonText(): string {
    return encodeJson(this.toJSON(), true);
  }
}

/** Functions that leave the header texts of a table's first row as they are; the others (`pad`) work on them too. */
const asItIs = (value: Value): Value => {
  if (typeof value === "string") return value;
  throw new Error("a header is a text");
};
const headerFunctions = {
  json: asItIs,
  split: asItIs,
  join: asItIs,
  title: asItIs,
  lower: asItIs,
  upper: asItIs,
  truncate: asItIs,
};

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

/** Header (of a table) and rows by the engine of templates. */
export function templateRows<T>(
  kind: RowKind<T>,
  items: readonly T[],
  source: string,
): { header: () => string; rows: string[] } {
  const template = parseTemplate(source);
  return {
    rows: items.map((item) => renderWith(template, new Row(kind, item))),
    header: () => headerRow(kind, template),
  };
}

function headerRow<T>(kind: RowKind<T>, template: Template): string {
  const data: Record<string, Value> = { ...kind.headers };
  for (const name of Object.keys(kind.methods ?? {})) data[name] = headerOfLabel;
  try {
    return template.with({ functions: headerFunctions, strictKeys: false }).render(data);
  } catch {
    return ""; // what makes sense of the rows alone (`{{json .}}`) has no header
  }
}

/** `{{.Label "com.example.some-name"}}` is headed `some name`. */
const headerOfLabel = (name: Value): string => String(name).split(".").at(-1)?.replace(/[-_]/g, " ") ?? "";
