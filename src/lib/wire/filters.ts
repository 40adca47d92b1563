import { EngineError } from "../errors.ts";
import { compilePattern } from "../text/pattern.ts";

/**
 * The `filters` query parameter of the list calls, in both JSON shapes: `{"name":["a","b"]}` and, since API 1.22,
 * `{"name":{"a":true,"b":true}}`. Values of one key are alternatives unless a rule says else; keys must all hold.
 * Errors are of kind `invalid` with Docker's sentences.
 */
export type Filters = Map<string, string[]>;

const lengthMax = 1 << 20;

function filterError(key?: string, values?: readonly string[]): EngineError {
  if (!key) return new EngineError("invalid", "invalid filter");
  const value = values === undefined ? "" : `=[${values.join(" ")}]`;
  return new EngineError("invalid", `invalid filter '${key}${value}'`);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function readJson(text: string): unknown {
  if (text.length > lengthMax) throw filterError();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError("invalid", "invalid filter", { cause });
  }
}

/** One key's values, from either shape. The shapes may not be mixed, and nothing else is accepted. */
function valuesOf(value: unknown, shape: "list" | "set"): string[] {
  if (value === null) return [];
  // as everywhere in Go's JSON, null is what was not said: an empty text, a flag that is off
  const isOf = (type: string) => (item: unknown) => item === null || typeof item === type;
  if (shape === "list" && Array.isArray(value) && value.every(isOf("string")))
    return [...new Set(value.map((item) => item ?? ""))];
  if (shape === "set" && isRecord(value) && Object.values(value).every(isOf("boolean")))
    return Object.keys(value);
  throw filterError();
}

/** Parses the parameter; absent or empty means no filter. */
export function parseFilters(text: string | null | undefined): Filters {
  if (!text) return new Map();
  const json = readJson(text);
  if (json === null) return new Map();
  if (!isRecord(json)) throw filterError();
  const shape = Object.values(json).some(Array.isArray) ? "list" : "set";
  return new Map(Object.entries(json).map(([key, value]) => [key, valuesOf(value, shape)]));
}

/** Refuses a key that the call does not know: `invalid filter 'x'`. */
export function validateFilters(filters: Filters, known: readonly string[]): void {
  for (const key of filters.keys()) if (!known.includes(key)) throw filterError(key);
}

/** A truth value: `1`, `true`, `0`, `false`; contradictory or other values are refused. */
export function booleanFilter(filters: Filters, key: string, otherwise: boolean): boolean {
  const values = filters.get(key);
  if (values === undefined) return otherwise;
  if (values.length === 0) throw filterError(key);
  const no = values.includes("0") || values.includes("false");
  const yes = values.includes("1") || values.includes("true");
  if (no === yes) throw filterError(key, values);
  return yes;
}

/** Whether the source is one of the values; no filter passes. */
export function matchExact(filters: Filters, key: string, source: string): boolean {
  const values = filters.get(key);
  return values === undefined || values.length === 0 || values.includes(source);
}

/** Docker's `name` rule: equal, or matched anywhere by the value as a regular expression; a bad one never matches. */
export function matchPattern(filters: Filters, key: string, source: string): boolean {
  if (matchExact(filters, key, source)) return true;
  return (filters.get(key) ?? []).some((value) => compilePattern(value)?.(source) ?? false);
}

/** Docker's `id` rule: the values are prefixes. */
export function matchPrefix(filters: Filters, key: string, source: string): boolean {
  const values = filters.get(key);
  return values === undefined || values.length === 0 || values.some((value) => source.startsWith(value));
}

/** `label=k` or `label=k=v`, of which every value must hold. */
export function matchLabels(
  filters: Filters,
  key: string,
  labels: Readonly<Record<string, string>> | null | undefined,
): boolean {
  const values = filters.get(key);
  if (values === undefined || values.length === 0) return true;
  return values.every((value) => {
    const equals = value.indexOf("=");
    const name = equals < 0 ? value : value.slice(0, equals);
    if (labels === null || labels === undefined || !Object.hasOwn(labels, name)) return false;
    return equals < 0 || labels[name] === value.slice(equals + 1);
  });
}
