import { EngineError } from "../../errors.ts";
import type { ObjectShape, Shape } from "./shape.ts";
import { scan } from "./syntax.ts";

/**
 * JSON into a value of a shape, as Go's decoder does it: keys match without regard to case, unknown keys are dropped,
 * `null` leaves a field out, a wrong type is an error that names the field. The result holds the shape's spelling of
 * each key, so that nothing below the API knows another.
 */
export function decodeJson(source: string, shape: ObjectShape): Record<string, unknown> {
  const value = parse(source);
  if (value === null) return {};
  const path: Path = {
    root: shape.type.startsWith("container.CreateRequest") ? "" : baseName(shape.type),
    keys: [],
  };
  return decodeObject(value, shape, path);
}

/** The text's one JSON value. Throws `invalid` with Go's sentence. */
export function parse(source: string): unknown {
  if (source.trim() === "")
    throw new EngineError("invalid", "invalid JSON: got EOF while reading request body");
  try {
    return JSON.parse(source);
  } catch (error) {
    const found = scan(source);
    if ("error" in found) throw new EngineError("invalid", `invalid JSON: ${found.error}`, { cause: error });
    throw new EngineError("invalid", "unexpected content after JSON", { cause: error });
  }
}

interface Path {
  root: string;
  keys: string[];
}

const baseName = (type: string): string => type.slice(type.indexOf(".") + 1);

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

const escapeKey = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");

/** Go calls the place a "struct field" unless its last key looks like a list's index. */
function place(path: Path): string {
  const last = path.keys.at(-1);
  if (last === undefined) return "Go value";
  const name = [path.root, ...path.keys.map(escapeKey)].join(".");
  return /^\d+$/.test(last) ? name : `Go struct field ${name}`;
}

function mismatch(what: string, path: Path, type: string): never {
  throw new EngineError(
    "invalid",
    `invalid JSON: json: cannot unmarshal ${what} into ${place(path)} of type ${type}`,
  );
}

function decodeValue(value: unknown, shape: Shape, path: Path): unknown {
  switch (shape.kind) {
    case "string":
      return typeof value === "string" ? value : mismatch(kindOf(value), path, shape.type);
    case "bool":
      return typeof value === "boolean" ? value : mismatch(kindOf(value), path, shape.type);
    case "integer":
      return decodeInteger(value, shape, path);
    case "words":
      return decodeWords(value);
    case "list":
      return decodeList(value, shape, path);
    case "map":
      return decodeMap(value, shape, path);
    case "object":
      return decodeObject(value, shape, path);
  }
}

function decodeInteger(value: unknown, shape: Shape & { kind: "integer" }, path: Path): number {
  if (typeof value !== "number") return mismatch(kindOf(value), path, shape.type);
  if (!Number.isInteger(value) || value < shape.min || value > shape.max)
    return mismatch(`number ${value}`, path, shape.type);
  return value;
}

function decodeWords(value: unknown): string[] {
  if (typeof value === "string") return [value];
  const whole: Path = { root: "", keys: [] };
  if (!Array.isArray(value)) return mismatch(kindOf(value), whole, "string");
  return value.map((item) =>
    typeof item === "string" ? item : item === null ? "" : mismatch("array", whole, "string"),
  );
}

function decodeList(value: unknown, shape: Shape & { kind: "list" }, path: Path): unknown[] {
  if (!Array.isArray(value)) return mismatch(kindOf(value), path, shape.type);
  const items = shape.length === undefined ? value : value.slice(0, shape.length);
  return items.map((item, index) =>
    item === null
      ? zero(shape.of)
      : decodeValue(item, shape.of, { root: path.root, keys: [...path.keys, String(index)] }),
  );
}

/** By their keys where the values are texts, as Go tells every map: labels, options. A `null` entry of a map stays `null`: `EndpointsConfig: {"net": null}` names a network and asks nothing of it. */
function decodeMap(value: unknown, shape: Shape & { kind: "map" }, path: Path): Record<string, unknown> {
  if (!isObject(value)) return mismatch(kindOf(value), path, shape.type);
  const result: Record<string, unknown> = Object.create(null);
  const entries = Object.entries(value);
  if (shape.of.kind === "string") entries.sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, item] of entries)
    result[key] =
      item === null
        ? shape.of.kind === "string"
          ? ""
          : null
        : decodeValue(item, shape.of, { root: path.root, keys: [...path.keys, key] });
  return { ...result };
}

function decodeObject(value: unknown, shape: ObjectShape, path: Path): Record<string, unknown> {
  if (!isObject(value)) return mismatch(kindOf(value), path, shape.type);
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const name = fieldNamed(shape, key);
    if (name === undefined || item === null) continue;
    const field = shape.fields[name];
    if (field) result[name] = decodeValue(item, field, { root: path.root, keys: [...path.keys, key] });
  }
  return result;
}

const lowerNames = new WeakMap<ObjectShape, Map<string, string>>();

function fieldNamed(shape: ObjectShape, key: string): string | undefined {
  if (Object.hasOwn(shape.fields, key)) return key;
  let names = lowerNames.get(shape);
  if (!names) {
    names = new Map(Object.keys(shape.fields).map((name) => [name.toLowerCase(), name]));
    lowerNames.set(shape, names);
  }
  return names.get(key.toLowerCase());
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function zero(shape: Shape): unknown {
  if (shape.kind === "string") return "";
  if (shape.kind === "bool") return false;
  if (shape.kind === "integer") return 0;
  return shape.kind === "list" || shape.kind === "words" ? [] : {};
}
