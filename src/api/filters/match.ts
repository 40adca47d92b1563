import { EngineError } from "../../lib/errors.ts";
import type { Filters } from "../decode/filters.ts";

/** Whether labels hold every wanted `key` or `key=value`. */
export function hasLabels(wanted: string[] | undefined, labels: Readonly<Record<string, string>>): boolean {
  return (wanted ?? []).every((entry) => {
    const equals = entry.indexOf("=");
    if (equals < 0) return Object.hasOwn(labels, entry);
    const key = entry.slice(0, equals);
    return Object.hasOwn(labels, key) && labels[key] === entry.slice(equals + 1);
  });
}

/** Whether one of the values is `value`, or there is none. */
export const isOneOf = (values: string[] | undefined, value: string): boolean =>
  values === undefined || values.length === 0 || values.includes(value);

/** Whether one of the values is part of `value`, or there is none. */
export const isPartOf = (values: string[] | undefined, value: string): boolean =>
  values === undefined || values.length === 0 || values.some((part) => value.includes(part));

/** A yes-or-no filter: undefined where it is not asked for. */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters.get(key);
  if (!values || values.length === 0) return undefined;
  const yes = values.some((value) => ["1", "true", "True", "TRUE", "t", "T"].includes(value));
  const no = values.some((value) => ["0", "false", "False", "FALSE", "f", "F"].includes(value));
  if (yes === no) throw new EngineError("invalid", `invalid filter '${key}=[${values.join(" ")}]'`);
  return yes;
}
