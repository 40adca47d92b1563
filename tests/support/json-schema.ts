import { readFileSync } from "node:fs";
import { join } from "node:path";

type Schema = Record<string, unknown>;
type Value = unknown;

/** Checks values against JSON schemas (draft 4, as far as the image specification uses it) of a folder. */
export class Schemas {
  private readonly folder: string;
  private readonly files = new Map<string, Schema>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** What is wrong with the value, by place; empty where it is valid. */
  problems(file: string, value: Value): string[] {
    const told: string[] = [];
    this.check({ file, schema: this.load(file) }, value, "", told);
    return told;
  }

  private load(file: string): Schema {
    const known = this.files.get(file);
    if (known) return known;
    const schema = JSON.parse(readFileSync(join(this.folder, file), "utf8")) as Schema;
    this.files.set(file, schema);
    return schema;
  }

  private follow(file: string, reference: string): { file: string; schema: Schema } {
    const [name = "", pointer = ""] = reference.split("#");
    const target = name === "" ? file : name;
    let schema: Value = this.load(target);
    for (const part of pointer.split("/").filter((each) => each !== "")) schema = (schema as Schema)[part];
    if (typeof schema !== "object" || schema === null) throw new Error(`${reference} leads nowhere`);
    return { file: target, schema: schema as Schema };
  }

  private check(at: { file: string; schema: Schema }, value: Value, place: string, told: string[]): void {
    const { file, schema } = at;
    for (const [key, rule] of Object.entries(schema)) {
      const known = rules[key];
      if (known === undefined) {
        if (!silent.has(key)) throw new Error(`the schema's ${key} is not known to this checker`);
      } else known({ rule, value, place, told, inner: (s, v, p, t) => this.inner(file, s, v, p, t), schema });
    }
  }

  private inner(file: string, schema: Value, value: Value, place: string, told: string[]): void {
    const reference = (schema as Schema)["$ref"];
    const next =
      typeof reference === "string" ? this.follow(file, reference) : { file, schema: schema as Schema };
    this.check(next, value, place, told);
  }
}

interface Check {
  rule: Value;
  value: Value;
  place: string;
  told: string[];
  schema: Schema;
  inner(schema: Value, value: Value, place: string, told: string[]): void;
}

const silent = new Set([
  "id",
  "$schema",
  "description",
  "definitions",
  "format",
  "additionalProperties",
  "media",
]);
const isObject = (value: Value): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const types: Record<string, (value: Value) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  integer: Number.isInteger,
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
};

const limit =
  (fails: (value: number, rule: number) => boolean, what: string) =>
  ({ rule, value, place, told }: Check): void => {
    if (typeof value === "number" && fails(value, Number(rule)))
      told.push(`${place}: ${value} ${what} ${rule}`);
  };

const choice =
  (fits: (count: number) => boolean) =>
  ({ rule, value, place, told, inner }: Check): void => {
    const good = (rule as Value[]).filter((schema) => {
      const problems: string[] = [];
      inner(schema, value, place, problems);
      return problems.length === 0;
    });
    if (!fits(good.length)) told.push(`${place}: fits ${good.length} of the schemas`);
  };

const rules: Record<string, (check: Check) => void> = {
  $ref: ({ rule, value, place, told, inner }) => inner({ $ref: rule }, value, place, told),
  type: ({ rule, value, place, told }) => {
    const wanted = [rule].flat() as string[];
    if (!wanted.some((type) => types[type]?.(value))) told.push(`${place}: is no ${wanted.join(" or ")}`);
  },
  properties: ({ rule, value, place, told, inner }) => {
    if (isObject(value))
      for (const [key, schema] of Object.entries(rule as Schema))
        if (key in value) inner(schema, value[key], `${place}/${key}`, told);
  },
  patternProperties: ({ rule, value, place, told, inner }) => {
    if (isObject(value))
      for (const [pattern, schema] of Object.entries(rule as Schema))
        for (const [key, item] of Object.entries(value))
          if (new RegExp(pattern).test(key)) inner(schema, item, `${place}/${key}`, told);
  },
  required: ({ rule, value, place, told }) => {
    if (isObject(value))
      for (const key of rule as string[]) if (!(key in value)) told.push(`${place}: lacks ${key}`);
  },
  items: ({ rule, value, place, told, inner }) => {
    if (Array.isArray(value))
      for (const [index, item] of value.entries()) inner(rule, item, `${place}/${index}`, told);
  },
  minItems: ({ rule, value, place, told }) => {
    if (Array.isArray(value) && value.length < Number(rule)) told.push(`${place}: has under ${rule} items`);
  },
  pattern: ({ rule, value, place, told }) => {
    if (typeof value === "string" && !new RegExp(String(rule)).test(value))
      told.push(`${place}: ${value} does not match ${rule}`);
  },
  enum: ({ rule, value, place, told }) => {
    if (!(rule as Value[]).includes(value))
      told.push(`${place}: ${value} is none of ${JSON.stringify(rule)}`);
  },
  minimum: limit((value, least) => value < least, "is below"),
  maximum: limit((value, most) => value > most, "is above"),
  oneOf: choice((count) => count === 1),
  anyOf: choice((count) => count > 0),
};
