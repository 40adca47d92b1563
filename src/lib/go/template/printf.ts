import { encodeJson, format, isNumber, Struct, typeName, type Value } from "./values.ts";

interface Verb {
  letter: string;
  flags: string;
  width: number | undefined;
  precision: number | undefined;
}

const pattern = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?(\[\d+\])?([\s\S])?/g;

/** Go's `fmt.Sprintf` for the kinds of values templates hold. */
export function sprintf(layout: string, args: Value[]): string {
  let used = 0;
  const take = (): Value => args[used++];
  const size = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : text === "*" ? Number(take()) : Number(text || 0);
  const text = layout.replace(
    pattern,
    (_all, flags: string, width?: string, precision?: string, place?: string, letter?: string) => {
      if (letter === undefined) return "%!(NOVERB)";
      if (letter === "%") return "%";
      const verb: Verb = { letter, flags, width: size(width), precision: size(precision) };
      if (place) used = Number(place.slice(1, -1)) - 1;
      if (used >= args.length) return `%!${letter}(MISSING)`;
      return pad(render(verb, take()), verb);
    },
  );
  if (used >= args.length) return text;
  const extra = args.slice(used).map((value) => `${typeName(value)}=${format(value)}`);
  return `${text}%!(EXTRA ${extra.join(", ")})`;
}

function pad(text: string, { width = 0, flags, letter }: Verb): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes("-")) return text + " ".repeat(missing);
  if (!flags.includes("0") || "sqvT".includes(letter)) return " ".repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + "0".repeat(missing) + text.slice(sign.length);
}

const bad = (verb: Verb, value: Value): string =>
  value === undefined || value === null
    ? `%!${verb.letter}(<nil>)`
    : `%!${verb.letter}(${typeName(value)}=${format(value)})`;

function render(verb: Verb, value: Value): string {
  if (verb.letter === "v")
    return verb.flags.includes("#") && typeof value === "string"
      ? JSON.stringify(value)
      : signed(format(value), verb, value);
  if (verb.letter === "T") return value === undefined || value === null ? "<nil>" : typeName(value);
  if (Array.isArray(value)) return `[${value.map((item) => render(verb, item)).join(" ")}]`;
  if (typeof value === "boolean") return verb.letter === "t" ? String(value) : bad(verb, value);
  if (typeof value === "string") return renderString(verb, value);
  if (isNumber(value)) return renderNumber(verb, value);
  if (value instanceof Struct || typeof value === "object")
    return verb.letter === "s" ? format(value) : bad(verb, value);
  return bad(verb, value);
}

function renderString(verb: Verb, value: string): string {
  const cut = verb.precision === undefined ? value : [...value].slice(0, verb.precision).join("");
  switch (verb.letter) {
    case "s":
      return cut;
    case "q":
      return encodeJson(cut, false);
    case "x":
      return Buffer.from(cut).toString("hex");
    case "X":
      return Buffer.from(cut).toString("hex").toUpperCase();
    default:
      return bad(verb, value);
  }
}

const bases: Record<string, number> = { b: 2, o: 8, d: 10, x: 16, X: 16 };

const signed = (text: string, { flags }: Verb, value: Value): string =>
  isNumber(value) && value >= 0 && flags.includes("+")
    ? `+${text}`
    : isNumber(value) && value >= 0 && flags.includes(" ")
      ? ` ${text}`
      : text;

function renderNumber(verb: Verb, value: number | bigint): string {
  const base = bases[verb.letter];
  const whole = typeof value === "bigint" || Number.isInteger(value);
  if (base !== undefined) {
    if (!whole) return bad(verb, value);
    const digits = value.toString(base);
    return signed(verb.letter === "X" ? digits.toUpperCase() : digits, verb, value);
  }
  if (verb.letter === "c" && whole) return String.fromCodePoint(Number(value));
  if (verb.letter === "U" && whole) return `U+${value.toString(16).toUpperCase().padStart(4, "0")}`;
  if (verb.letter === "q" && whole) return `'${String.fromCodePoint(Number(value))}'`;
  if (!"eEfFgG".includes(verb.letter)) return bad(verb, value);
  // An integer that reached us as JSON may have been a float64 in Go, so it is taken for one here.
  return signed(renderFloat(verb, Number(value)), verb, value);
}

function renderFloat({ letter, precision }: Verb, value: number): string {
  const twoDigits = (text: string): string => text.replace(/e([+-])(\d)$/, "e$10$2");
  switch (letter) {
    case "f":
    case "F":
      return value.toFixed(precision ?? 6);
    case "e":
      return twoDigits(value.toExponential(precision ?? 6));
    case "E":
      return twoDigits(value.toExponential(precision ?? 6)).toUpperCase();
    default: {
      if (precision === undefined) return twoDigits(String(value));
      const text = value.toPrecision(Math.max(1, precision));
      return twoDigits(text.includes("e") ? text : text.includes(".") ? text.replace(/\.?0+$/, "") : text);
    }
  }
}
