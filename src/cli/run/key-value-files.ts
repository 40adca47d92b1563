import type { Surroundings } from "../surroundings.ts";

const reasons: Record<string, string> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
};

/** A file error as Go words it: `open x: no such file or directory`. */
export const fileError = (verb: string, path: string, error: unknown): Error => {
  const code = (error as { code?: string }).code ?? "";
  return new Error(`${verb} ${path}: ${reasons[code] ?? (error as Error).message}`);
};

export const missingFile = (path: string): Error => fileError("open", path, { code: "ENOENT" });

function readLines(path: string, around: Surroundings): string[] {
  let text: string | undefined;
  try {
    text = around.readText(path);
  } catch (error) {
    throw fileError((error as { code?: string }).code === "EISDIR" ? "read" : "open", path, error);
  }
  if (text === undefined) throw missingFile(path);
  return text.replace(/^\uFEFF/, "").split("\n");
}

/** Lines `NAME=value`, comments and blank lines left out; a name alone is given to `lookUp`. */
function parseLines(
  path: string,
  what: string,
  around: Surroundings,
  lookUp: (name: string) => string | undefined,
): string[] {
  return readLines(path, around).flatMap((raw) => {
    const line = raw.replace(/\r$/, "").trimStart();
    if (line === "" || line.startsWith("#")) return [];
    const at = line.indexOf("=");
    const name = at < 0 ? line : line.slice(0, at);
    if (name === "") throw new Error(`invalid ${what} file (${path}): no variable name on line '${line}'`);
    if (/[ \t]/.test(name.trimEnd()) || (at >= 0 && /\s/.test(name)))
      throw new Error(`invalid ${what} file (${path}): variable '${name}' contains whitespaces`);
    if (at >= 0) return [line];
    const value = lookUp(name.trimEnd());
    return value === undefined ? [] : [value];
  });
}

/** `--env-file`: a name alone copies the client's variable, and is skipped where there is none. */
export const readEnvFile = (path: string, around: Surroundings): string[] =>
  parseLines(path, "env", around, (name) => {
    const own = around.variable(name);
    return own === undefined ? undefined : `${name}=${own}`;
  });

/** `--label-file`: a name alone is a label without a value. */
export const readLabelFile = (path: string, around: Surroundings): string[] =>
  parseLines(path, "label", around, (name) => name);

export function pairs(items: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const item of items) {
    const at = item.indexOf("=");
    found[at < 0 ? item : item.slice(0, at)] = at < 0 ? "" : item.slice(at + 1);
  }
  return found;
}
