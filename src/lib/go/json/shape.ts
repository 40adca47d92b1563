/**
 * Shapes of request bodies: what a field must be, and the name Go gives its type, which clients see in errors.
 * A shape is plain data; `decode.ts` reads JSON by it.
 */
export type Shape =
  | { kind: "string" | "bool"; type: string }
  | { kind: "integer"; type: string; min: number; max: number }
  /** a list of strings, or one string for a list of one */
  | { kind: "words" }
  | { kind: "list"; of: Shape; type: string; length?: number }
  | { kind: "map"; of: Shape; type: string }
  | ObjectShape;

export interface ObjectShape {
  kind: "object";
  type: string;
  fields: Readonly<Record<string, Shape>>;
}

export const text = (type = "string"): Shape => ({ kind: "string", type });
export const string = text();
export const bool: Shape = { kind: "bool", type: "bool" };

const integer = (type: string, min: number, max: number): Shape => ({ kind: "integer", type, min, max });
/** Bounds beyond 2^53 are as near as a double comes: what a double cannot tell apart is let through. */
export const int64 = integer("int64", -(2 ** 63), 2 ** 63);
export const int = integer("int", -(2 ** 63), 2 ** 63);
export const duration = integer("time.Duration", -(2 ** 63), 2 ** 63);
export const uint = integer("uint", 0, 2 ** 64);
export const uint64 = integer("uint64", 0, 2 ** 64);
export const uint16 = integer("uint16", 0, 65_535);
export const fileMode = integer("fs.FileMode", 0, 2 ** 32 - 1);

export const words: Shape = { kind: "words" };
/** What Go calls a pointer to a structure it names by the structure alone. */
const elementType = (shape: Shape): string => (shape.kind === "words" ? "strslice.StrSlice" : shape.type);
export const list = (of: Shape, type = `[]${elementType(of)}`): Shape => ({ kind: "list", of, type });
export const array = (of: Shape, length: number): Shape => ({
  kind: "list",
  of,
  length,
  type: `[${length}]${elementType(of)}`,
});
export const map = (of: Shape, type = `map[string]${elementType(of)}`): Shape => ({ kind: "map", of, type });
export const strings = list(string);
export const stringMap = map(string);
export const empty: Shape = { kind: "object", type: "struct {}", fields: {} };

export const object = (type: string, fields: Record<string, Shape>): ObjectShape => ({
  kind: "object",
  type,
  fields,
});
