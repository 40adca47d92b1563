import { EngineError } from "../../lib/errors.ts";

/**
 * Readers of untrusted JSON: each takes a value and its path and returns it checked and complete, or throws `invalid`
 * in the words of Go's decoder, which clients know. Like Go's, they take `null` for "not given" and match an object's
 * keys without regard to case.
 */
export type Reader<T> = (value: unknown, path: string) => T;

const kindOf = (value: unknown): string => {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value;
};

function mismatch(value: unknown, path: string, goType: string): EngineError {
  const what = typeof value === "number" && goType.startsWith("int") ? `number ${value}` : kindOf(value);
  const where = path === "" ? `Go value of type ${goType}` : `Go struct field ${path} of type ${goType}`;
  return new EngineError("invalid", `invalid JSON: json: cannot unmarshal ${what} into ${where}`);
}

const absent = (value: unknown): value is null | undefined => value === null || value === undefined;

export const text: Reader<string> = (value, path) => {
  if (absent(value)) return "";
  if (typeof value !== "string") throw mismatch(value, path, "string");
  return value;
};

export const flag: Reader<boolean> = (value, path) => {
  if (absent(value)) return false;
  if (typeof value !== "boolean") throw mismatch(value, path, "bool");
  return value;
};

export const integer: Reader<number> = (value, path) => {
  if (absent(value)) return 0;
  if (typeof value !== "number") throw mismatch(value, path, "int64");
  if (!Number.isInteger(value)) throw mismatch(value, path, "int64");
  return value;
};

/** `null` stays `null`: Go keeps "not given" apart from "given, and empty". */
export const nullable =
  <T>(reader: Reader<T>): Reader<T | null> =>
  (value, path) =>
    absent(value) ? null : reader(value, path);

/** Left out of the answer where it was not given (Go's `omitempty`). */
export const optional =
  <T>(reader: Reader<T>): Reader<T | undefined> =>
  (value, path) => {
    if (absent(value)) return undefined;
    const read = reader(value, path);
    return isEmpty(read) ? undefined : read;
  };

function isEmpty(value: unknown): boolean {
  if (value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** Left out only where it was not given: a pointer in Go. */
export const pointer =
  <T>(reader: Reader<T>): Reader<T | undefined> =>
  (value, path) =>
    absent(value) ? undefined : reader(value, path);

export const list =
  <T>(reader: Reader<T>, goType = "[]string"): Reader<T[] | null> =>
  (value, path) => {
    if (absent(value)) return null;
    if (!Array.isArray(value)) throw mismatch(value, path, goType);
    return value.map((item) => reader(item, path));
  };

/** A list of words, or one string that stands for a list of one. */
export const words: Reader<string[] | null> = (value, path) =>
  typeof value === "string" ? [value] : list(text)(value, path);

/** A map by name; its keys come sorted, as Go prints them. */
export const map =
  <T>(reader: Reader<T>, goType = "map[string]string"): Reader<Record<string, T> | null> =>
  (value, path) => {
    if (absent(value)) return null;
    if (typeof value !== "object" || Array.isArray(value)) throw mismatch(value, path, goType);
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    const result: Record<string, T> = Object.create(null) as Record<string, T>;
    for (const [key, item] of entries) result[key] = reader(item, `${path}.${key}`);
    return { ...result };
  };

export const emptyObject: Reader<Record<string, never>> = (value, path) => {
  if (!absent(value) && (typeof value !== "object" || Array.isArray(value)))
    throw mismatch(value, path, "struct {}");
  return {};
};

type Shape<T> = { [Key in keyof T]-?: Reader<T[Key] | undefined> };

/** An object with these fields, in this order; fields it does not know are passed over, as Go does. */
export const object =
  <T extends object>(shape: Shape<T>, goType: string): Reader<T> =>
  (value, path) => {
    const given = new Map<string, unknown>();
    if (!absent(value)) {
      if (typeof value !== "object" || Array.isArray(value)) throw mismatch(value, path, goType);
      for (const [key, item] of Object.entries(value)) given.set(key.toLowerCase(), item);
    }
    const result: Record<string, unknown> = {};
    for (const [key, reader] of Object.entries(shape) as [string, Reader<unknown>][]) {
      const read = reader(given.get(key.toLowerCase()), `${path}.${key}`);
      if (read !== undefined) result[key] = read;
    }
    return result as T;
  };
