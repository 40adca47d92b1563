import { Template } from "../../lib/go/template/template.ts";
import { CliError } from "../errors.ts";
import type { Session } from "../session.ts";
import { indentJson } from "./indent-json.ts";
import { jsonStruct } from "./json-struct.ts";

/**
 * Fetches each object's JSON and prints it: as one array, as the engine wrote it, or by a template. What is found is
 * printed even when something else is not.
 */
export async function inspectAll(
  session: Session,
  names: readonly string[],
  format: string,
  fetch: (name: string) => Promise<string>,
  goType?: string,
): Promise<number> {
  const template = format && format !== "json" ? parse(format) : undefined;
  const texts: string[] = [];
  const errors: string[] = [];
  let output = "";
  for (const name of names) {
    let text: string;
    try {
      text = (await fetch(name)).trim();
    } catch (error) {
      errors.push((error as Error).message);
      continue;
    }
    if (!template) {
      texts.push(text);
      continue;
    }
    try {
      output += `${render(template, text, goType)}\n`;
    } catch (error) {
      errors.push(`template parsing error: ${(error as Error).message}`);
    }
  }
  if (template) session.write(output || "\n");
  else if (format === "json")
    session.out(`[${texts.map((text) => JSON.stringify(parseExact(text))).join(",")}]`);
  else session.out(texts.length > 0 ? indentJson(`[${texts.join(",")}]`, "    ") : "[]");
  if (errors.length > 0) throw new CliError(errors.join("\n"));
  return 0;
}

function parse(format: string): Template {
  try {
    return Template.parse(format.replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
  } catch (error) {
    throw new CliError(`template parsing error: ${(error as Error).message}`, 64);
  }
}

/** First against Docker's types; what they do not know is looked up in the JSON itself, unless the type is all there is. */
function render(template: Template, text: string, goType?: string): string {
  const object = parseExact(text);
  if (goType !== undefined) return template.render(jsonStruct(goType, object as object));
  try {
    return template.render(jsonStruct("types.Inspect", object as object));
  } catch {
    return template.with({ strictKeys: true }).render(object); // its error is the one to show
  }
}

/** JSON whose integers beyond a double's precision are bigints. */
export function parseExact(text: string): unknown {
  if (!/[:[,]\s*-?\d{16,}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, ((_key: string, value: unknown, context: { source?: string }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? "")
      ? BigInt(context.source ?? 0)
      : value) as never);
}
