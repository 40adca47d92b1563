import { sprintf } from "./printf.ts";
import {
  encodeJson,
  format,
  isMap,
  isNumber,
  Nil,
  print,
  Struct,
  truth,
  typeName,
  type Value,
} from "./values.ts";

export type TemplateFunction = (...args: Value[]) => Value;

const fail = (message: string): never => {
  throw new Error(message);
};

/** `print`: operands side by side, a space only between two that are both not strings. */
function sprint(args: Value[]): string {
  return args
    .map((value, index) => {
      const before = args[index - 1];
      const apart = index > 0 && typeof value !== "string" && typeof before !== "string";
      return (apart ? " " : "") + format(value);
    })
    .join("");
}

function index(item: Value, ...keys: Value[]): Value {
  if (item === undefined || item === null) return fail("index of untyped nil");
  return keys.reduce<Value>((from, key) => indexOnce(from, key), item);
}

function indexOnce(from: Value, key: Value): Value {
  if (from instanceof Nil && from.kind === "pointer") return fail("index of nil pointer");
  if (Array.isArray(from) || typeof from === "string" || (from instanceof Nil && from.kind === "slice")) {
    if (!isNumber(key)) return fail(`cannot index slice/array with type ${typeName(key)}`);
    const length = from instanceof Nil ? 0 : typeof from === "string" ? Buffer.byteLength(from) : from.length;
    const at = Number(key);
    if (at < 0 || at >= length) return fail(`index out of range: ${key}`);
    return typeof from === "string" ? Buffer.from(from)[at] : (from as Value[])[at];
  }
  if (from instanceof Nil || isMap(from)) {
    if (typeof key !== "string") return fail(`value has type ${typeName(key)}; should be string`);
    if (from instanceof Nil || !Object.hasOwn(from, key)) return emptyOf(from);
    return from[key];
  }
  return fail(`can't index item of type ${typeName(from)}`);
}

/** The zero value of what a map holds, judged by what it holds: "" in a map of strings, no value otherwise. */
const emptyOf = (map: Value): Value =>
  isMap(map) && Object.keys(map).length > 0 && Object.values(map).every((item) => typeof item === "string")
    ? ""
    : isMap(map) && Object.keys(map).length === 0
      ? ""
      : undefined;

function slice(item: Value, ...bounds: Value[]): Value {
  if (item === undefined || item === null) return fail("slice of untyped nil");
  if (bounds.length > 3) return fail(`too many slice indexes: ${bounds.length}`);
  if (typeof item !== "string" && !Array.isArray(item))
    return fail(`can't slice item of type ${typeName(item)}`);
  const bytes = typeof item === "string" ? Buffer.from(item) : item;
  const [from = 0, to = bytes.length] = bounds.map(Number);
  for (const bound of [from, to])
    if (bound < 0 || bound > bytes.length) return fail(`index out of range: ${bound}`);
  if (from > to) return fail(`invalid slice index: ${from} > ${to}`);
  return typeof item === "string" ? Buffer.from(item).subarray(from, to).toString() : item.slice(from, to);
}

function len(item: Value): number {
  if (item === undefined || item === null) return fail("len of nil pointer");
  if (typeof item === "string") return Buffer.byteLength(item);
  if (Array.isArray(item)) return item.length;
  if (item instanceof Nil && item.kind !== "pointer") return 0;
  if (isMap(item)) return Object.keys(item).length;
  return fail(`len of type ${typeName(item)}`);
}

const basicKind = (value: Value): string =>
  isNumber(value)
    ? "number"
    : typeof value === "string" || typeof value === "boolean"
      ? typeof value
      : value === undefined || value === null || value instanceof Nil
        ? "nil"
        : "other";

function equal(a: Value, b: Value): boolean {
  const [left, right] = [basicKind(a), basicKind(b)];
  if (left === "other" || right === "other")
    return left === right ? fail("non-comparable type") : fail("incompatible types for comparison");
  if (left === "nil" || right === "nil") return left === right;
  if (left !== right) return fail("incompatible types for comparison");
  // biome-ignore lint/suspicious/noDoubleEquals: an int64 may be a bigint on one side and a number on the other
  return left === "number" ? (a as number) == (b as number) : a === b;
}

function eq(first: Value, ...others: Value[]): boolean {
  if (others.length === 0) return fail("missing argument for comparison");
  return others.some((other) => equal(first, other));
}

function less(a: Value, b: Value): boolean {
  const [left, right] = [basicKind(a), basicKind(b)];
  if (left !== right) return fail("incompatible types for comparison");
  if (left === "number" || left === "string") return (a as number) < (b as number);
  return fail("invalid type for comparison");
}

const le = (a: Value, b: Value): boolean => less(a, b) || equal(a, b);

/** Go's own functions. `and` and `or` are evaluated by the evaluator, which must not touch what they skip. */
export const builtins: Record<string, TemplateFunction> = {
  and: (...args) => args.find((value) => !truth(value)) ?? args.at(-1),
  or: (...args) => args.find((value) => truth(value)) ?? args.at(-1),
  not: (value) => !truth(value),
  print: (...args) => sprint(args),
  println: (...args) => `${args.map(format).join(" ")}\n`,
  printf: (layout, ...args) =>
    typeof layout === "string" ? sprintf(layout, args) : fail("wrong type for value; expected string"),
  len,
  index,
  slice,
  eq,
  ne: (a, b) => !equal(a, b),
  lt: less,
  le,
  gt: (a, b) => !le(a, b),
  ge: (a, b) => !less(a, b),
  html: (...args) => sprint(args).replace(/[&<>"'\0]/g, (character) => htmlEscapes[character] ?? character),
  js: (...args) =>
    sprint(args).replace(/[\\'"<>&=\n\r\t]/g, (character) => jsEscapes[character] ?? character),
  urlquery: (...args) => encodeURIComponent(sprint(args)).replaceAll("%20", "+"),
  call: (fn, ...args) =>
    typeof fn === "function"
      ? (fn as TemplateFunction)(...args)
      : fail(`non-function ${print(fn)} of type ${typeName(fn)}`),
};

const htmlEscapes: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
  "\0": "\uFFFD",
};
const jsEscapes: Record<string, string> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** An argument that must be a string, as reflection would check it. */
function text(value: Value): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) throw new ArgumentError("invalid value; expected string", value);
  throw new ArgumentError(`wrong type for value; expected string; got ${typeName(value)}`, value);
}

/** An argument of the wrong type: reported where it stands, without "error calling". */
export class ArgumentError extends Error {
  readonly argument: Value;

  constructor(message: string, argument: Value) {
    super(message);
    this.argument = argument;
  }
}

const items = (value: Value): string[] => {
  if (value instanceof Nil) return [];
  if (Array.isArray(value)) return value.map((item) => text(item));
  throw new ArgumentError(`wrong type for value; expected []string; got ${typeName(value)}`, value);
};

/** What docker adds for `--format`. */
export const dockerFunctions: Record<string, TemplateFunction> = {
  json: (value) => (value instanceof Struct ? value.jsonText() : undefined) ?? encodeJson(value, false),
  split: (value, separator) => text(value).split(text(separator)),
  join: (values, separator) => items(values).join(text(separator)),
  title: (value) =>
    text(value).replace(
      /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
      (_all, before: string, letter: string) => before + letter.toUpperCase(),
    ),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  pad: (value, before, after) => {
    const source = text(value);
    return source === "" ? source : " ".repeat(Number(before)) + source + " ".repeat(Number(after));
  },
  truncate: (value, length) => {
    const source = text(value);
    if (Number(length) < 0) return fail(`runtime error: slice bounds out of range [:${length}]`);
    return source.length < Number(length) ? source : source.slice(0, Number(length));
  },
};

/** How many arguments a function takes, where Go's signature fixes it. */
export const arities: Record<string, number> = {
  not: 1,
  len: 1,
  ne: 2,
  lt: 2,
  le: 2,
  gt: 2,
  ge: 2,
  json: 1,
  split: 2,
  join: 2,
  title: 1,
  lower: 1,
  upper: 1,
  pad: 3,
  truncate: 2,
};
/** … and how many at least, where it takes any number after them. */
export const minimums: Record<string, number> = {
  and: 1,
  or: 1,
  eq: 1,
  index: 1,
  slice: 1,
  printf: 1,
  call: 1,
};
