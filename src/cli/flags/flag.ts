import type { Surroundings } from "../surroundings.ts";

/**
 * A command-line option. `parse` takes the value so far and one more text, and returns the new value, or throws a
 * `FlagValueError` whose message follows `invalid argument "x" for "--flag" flag: `.
 */
export interface Flag<T> {
  /** `long`, or `long,s`: taken apart only where somebody asks, for a hundred flags are made for each `run` */
  readonly names: string;
  readonly usage: string;
  /** the word shown after the name in help; empty for booleans */
  readonly type: string;
  readonly initial: T;
  /** shown as `(default …)` in help; nothing when absent */
  readonly shownDefault?: string | undefined;
  readonly hidden?: boolean;
  /** value of the flag when it stands without one (`--rm`) */
  readonly bare?: string;
  /** sentence printed on stderr when the flag is used */
  readonly deprecated?: string;
  /** the variable whose value it has where it is not given */
  readonly variable?: string;
  /** a method, so that tables may hold flags of any type */
  parse(current: T, text: string, around: Surroundings): T;
}

export type FlagTable = Record<string, Flag<unknown>>;
export type FlagValues<F> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

class FlagValueError extends Error {}

const fail = (message: string): never => {
  throw new FlagValueError(message);
};

/*
 * A hundred of these are made for each `run`. Few have anything extra, and no function here is called by all of them: one
 * called 34 times makes the engine of the language start its compiler, which costs what the rest of the table does.
 */
type Extra = { hidden?: boolean; deprecated?: string; shownDefault?: string; variable?: string };
const none: Extra = {};

export const longName = ({ names }: { readonly names: string }): string => names.split(",", 1)[0] ?? "";
/** one letter; `undefined` where the flag has none */
export const shortName = ({ names }: { readonly names: string }): string | undefined => names.split(",")[1];

const asBool = (_current: unknown, text: string): boolean => parseBool(text);
const asText = (_current: unknown, text: string): string => text;
const asInteger = (_current: unknown, text: string): number => parseInteger(text, "ParseInt");
const asItem = (current: readonly string[], text: string): readonly string[] => [...current, text];

export const bool = (names: string, usage: string, initial = false, extra: Extra = none): Flag<boolean> => {
  const flag: Flag<boolean> = {
    names,
    usage,
    type: "",
    initial,
    shownDefault: initial ? "true" : undefined,
    bare: "true",
    parse: asBool,
  };
  return extra === none ? flag : { ...flag, ...extra };
};

/** Like `bool`, but `undefined` until it is given. */
export const maybeBool = (names: string, usage: string, extra: Extra = none): Flag<boolean | undefined> => {
  const flag: Flag<boolean | undefined> = {
    names,
    usage,
    type: "",
    initial: undefined,
    bare: "true",
    parse: asBool,
  };
  return extra === none ? flag : { ...flag, ...extra };
};

export const string = (
  names: string,
  usage: string,
  initial = "",
  extra: Extra & { type?: string } = none,
): Flag<string> => {
  const flag: Flag<string> = {
    names,
    usage,
    type: "string",
    initial,
    shownDefault: initial ? JSON.stringify(initial) : undefined,
    parse: asText,
  };
  return extra === none ? flag : { ...flag, ...extra };
};

/** Repeats add to the list; `check` may refuse or rewrite an item. */
export const list = (
  names: string,
  usage: string,
  check?: (text: string, around: Surroundings) => string,
  extra: Extra & { type?: string } = none,
): Flag<readonly string[]> => {
  const flag: Flag<readonly string[]> = {
    names,
    usage,
    type: "list",
    initial: [],
    parse: check ? (current, text, around) => [...current, check(text, around)] : asItem,
  };
  return extra === none ? flag : { ...flag, ...extra };
};

/** A list whose items may be given separated by commas, too. */
export const strings = (names: string, usage: string, extra: Extra = none): Flag<readonly string[]> => {
  const flag: Flag<readonly string[]> = {
    names,
    usage,
    type: "strings",
    initial: [],
    parse: (current, text) => [...current, ...(text === "" ? [] : text.split(","))],
  };
  return extra === none ? flag : { ...flag, ...extra };
};

/** `key=value` pairs; a key alone has an empty value, and the last one given counts. */
export const map = (
  names: string,
  usage: string,
  check: (text: string) => string = (text) => text,
  extra: Extra = none,
): Flag<Readonly<Record<string, string>>> => {
  const flag: Flag<Readonly<Record<string, string>>> = {
    names,
    usage,
    type: "map",
    initial: {},
    shownDefault: "map[]",
    parse: (current, text) => {
      const pair = check(text);
      const at = pair.indexOf("=");
      return at < 0 ? { ...current, [pair]: "" } : { ...current, [pair.slice(0, at)]: pair.slice(at + 1) };
    },
  };
  return extra === none ? flag : { ...flag, ...extra };
};

export const int = (names: string, usage: string, initial = 0, extra: Extra = none): Flag<number> => {
  const flag: Flag<number> = {
    names,
    usage,
    type: "int",
    initial,
    shownDefault: initial !== 0 ? String(initial) : undefined,
    parse: asInteger,
  };
  return extra === none ? flag : { ...flag, ...extra };
};

/** `undefined` until it is given. */
export const maybeInt = (names: string, usage: string, extra: Extra = none): Flag<number | undefined> => {
  const flag: Flag<number | undefined> = {
    names,
    usage,
    type: "int",
    initial: undefined,
    parse: asInteger,
  };
  return extra === none ? flag : { ...flag, ...extra };
};

export const uint = (
  names: string,
  usage: string,
  type = "uint",
  bits = 64,
  extra: Extra = none,
): Flag<number> => {
  const flag: Flag<number> = {
    names,
    usage,
    type,
    initial: 0,
    parse: (_current, text) => {
      const value = parseInteger(text, "ParseUint");
      if (value < 0) fail(syntax("ParseUint", text));
      if (value >= 2 ** bits) fail(`strconv.ParseUint: parsing ${quote(text)}: value out of range`);
      return value;
    },
  };
  return extra === none ? flag : { ...flag, ...extra };
};

/** A flag of any other kind: `parse` throws Errors whose message is shown. */
export const custom = <T>(
  names: string,
  type: string,
  usage: string,
  initial: T,
  parse: (current: T, text: string, around: Surroundings) => T,
  extra: Extra = none,
): Flag<T> => {
  const flag: Flag<T> = { names, usage, type, initial, parse };
  return extra === none ? flag : { ...flag, ...extra };
};

const trueWords = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const falseWords = new Set(["0", "f", "F", "false", "FALSE", "False"]);

export function parseBool(text: string): boolean {
  if (trueWords.has(text)) return true;
  if (falseWords.has(text)) return false;
  return fail(syntax("ParseBool", text));
}

const quote = (text: string): string => JSON.stringify(text);
const syntax = (from: string, text: string): string =>
  `strconv.${from}: parsing ${quote(text)}: invalid syntax`;

function parseInteger(text: string, from: "ParseInt" | "ParseUint"): number {
  if (!/^[+-]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9]\d*|0)$/.test(text)) fail(syntax(from, text));
  const sign = text.startsWith("-") ? -1 : 1;
  const digits = text.replace(/^[+-]/, "");
  const value = /^0\d/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  if (value >= 2 ** 63) fail(`strconv.${from}: parsing ${quote(text)}: value out of range`);
  return sign * value;
}
