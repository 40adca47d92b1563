/**
 * What templates work on. Go's kinds in JavaScript: nil (`null`), no value at all (`undefined`), booleans, numbers
 * and bigints, strings, slices (arrays), maps with string keys (plain objects), and structs.
 */
export type Value = unknown;

/** A Go value with named fields and methods; an unknown name is an error in a template. */
export abstract class Struct {
  /** as error texts name it, e.g. `*formatter.ContainerContext` */
  abstract readonly goType: string;
  /** a field's value, a method's (a function), or `undefined` where there is none of that name */
  abstract member(name: string): { value: Value } | { method: (...args: Value[]) => Value } | undefined;
  /** what the `json` function writes */
  abstract toJSON(): unknown;
  /** the same as text, where its escapes matter */
  jsonText(): string | undefined {
    return undefined;
  }
  /** how it prints, where that is not its fields in braces (Go's Stringer) */
  text(): string | undefined {
    return undefined;
  }
  /** the fields in order, for `%v` */
  values(): Value[] {
    return [];
  }
}

/** nil of a known kind: it prints, counts and encodes otherwise than a missing value. */
export class Nil {
  readonly kind: "slice" | "map" | "pointer";

  constructor(kind: "slice" | "map" | "pointer") {
    this.kind = kind;
  }

  toJSON(): null {
    return null;
  }
}

export const isMap = (value: Value): value is Record<string, Value> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Struct) &&
  !(value instanceof Nil);

export const isNumber = (value: Value): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";

export function truth(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Nil) return false;
  if (value instanceof Struct) return true;
  if (isMap(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

export function typeName(value: Value): string {
  if (value === undefined || value === null) return "nil";
  if (value instanceof Struct) return value.goType;
  if (value instanceof Nil) return value.kind === "slice" ? "[]interface {}" : "map[string]interface {}";
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "object") return "map[string]interface {}";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  return Number.isInteger(value) || typeof value === "bigint" ? "int" : "float64";
}

const sortedKeys = (value: object): string[] =>
  Object.keys(value).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

/** `%v`: how Go prints a value inside others and on its own. */
export function format(value: Value): string {
  if (value === undefined || value === null) return "<nil>";
  if (value instanceof Nil) return value.kind === "slice" ? "[]" : value.kind === "map" ? "map[]" : "<nil>";
  if (Array.isArray(value)) return `[${value.map(format).join(" ")}]`;
  if (value instanceof Struct) return value.text() ?? `{${value.values().map(format).join(" ")}}`;
  if (typeof value === "object") {
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${format((value as Record<string, Value>)[key])}`)
      .join(" ")}]`;
  }
  return typeof value === "number" ? formatNumber(value) : String(value);
}

/** What a pipeline's value prints as. */
export const print = (value: Value): string =>
  value === undefined || value === null ? "<no value>" : format(value);

/** Go's `%v` of a float64 (`%g` with the exponent from 21 on); integers as they are. */
function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}

/** JSON as Go writes it: maps in the order of their keys' text as given, `<`, `>` and `&` escaped if asked for. */
export function encodeJson(value: Value, escapeHtml: boolean): string {
  const text = JSON.stringify(value ?? null, (_key, item) =>
    typeof item === "bigint" ? rawNumber(item) : item,
  );
  const plain = text.replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  return escapeHtml
    ? plain.replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026")
    : plain;
}

const rawNumber = (value: bigint): unknown =>
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(value.toString());
