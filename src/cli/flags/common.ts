import { custom, type Flag, string } from "./flag.ts";

export interface Filter {
  key: string;
  value: string;
}

export const filters = (
  names = "filter,f",
  usage = "Show only what matches (key=value)",
): Flag<readonly Filter[]> =>
  custom<readonly Filter[]>(names, "filter", usage, [], (current, text) => {
    if (text === "") return current;
    const at = text.indexOf("=");
    if (at < 0) throw new Error("bad format of filter (expected name=value)");
    return [...current, { key: text.slice(0, at).trim().toLowerCase(), value: text.slice(at + 1).trim() }];
  });

const template = "'TEMPLATE':         Go template";
export const listFormat = (): Flag<string> =>
  string(
    "format",
    `How to print each row:\n'table':            Aligned columns (default)\n'table TEMPLATE':   Aligned columns of a Go template\n'json':             A JSON object a line\n${template}`,
  );
export const objectFormat = (): Flag<string> =>
  string("format,f", `How to print:\n'json':             JSON\n${template}`);
export const platform = (usage: string): Flag<string> =>
  string("platform", usage, "", { variable: "DOCKER_DEFAULT_PLATFORM" });
