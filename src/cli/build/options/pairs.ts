import { messageOf } from "../../../lib/errors.ts";
import { parseCsv } from "../../../lib/go/csv.ts";
import { optionError } from "../failure.ts";

/** `key=value` options as a map; a name alone takes the client's own variable where `fromEnvironment` says so. */
export function keyValues(items: readonly string[], fromEnvironment = false): Record<string, string> {
  const values: Record<string, string> = {};
  for (const item of items) {
    const equals = item.indexOf("=");
    const key = equals < 0 ? item : item.slice(0, equals);
    if (key === "") throw optionError(`invalid key-value pair ${JSON.stringify(item)}: empty key`);
    const own = fromEnvironment ? process.env[key] : "";
    const value = equals < 0 ? own : item.slice(equals + 1);
    if (value !== undefined) values[key] = value;
  }
  return values;
}

/** The fields of one `a=b,c=d` option. */
export function fields(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const field of csv(text)) {
    const equals = field.indexOf("=");
    if (equals < 0) throw optionError(`invalid field '${field}' must be a key=value pair`);
    found.set(field.slice(0, equals).toLowerCase(), field.slice(equals + 1));
  }
  return found;
}

export function csv(text: string): string[] {
  try {
    return parseCsv(text);
  } catch (error) {
    throw optionError(messageOf(error));
  }
}
