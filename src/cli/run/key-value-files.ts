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

const unreadable = (path: string, error: Error): Error =>
  new Error(`invalid env file (${path}): ${error.message}`);

/** a line as docker's client takes it at most, its end not counted */
const lineMax = 65_535;

function readLines(path: string, around: Surroundings): string[] {
  let text: string | undefined;
  try {
    text = around.readText(path);
  } catch (error) {
    if ((error as { code?: string }).code === "EISDIR")
      throw unreadable(path, fileError("read", path, error));
    throw fileError("open", path, error);
  }
  if (text === undefined) throw missingFile(path);
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  if (text.includes("\uFFFD")) refuseBytes(path);
  if (text.length > lineMax && lines.some((line) => Buffer.byteLength(line) > lineMax))
    throw unreadable(path, new Error("bufio.Scanner: token too long"));
  return lines;
}

/** Text that a character of replacement is in may have been read from bytes that are no text. */
function refuseBytes(path: string): void {
  const { readFileSync } = require("node:fs") as typeof import("node:fs");
  const bytes = readFileSync(path);
  let [start, number] = [0, 1];
  for (let end = bytes.indexOf(10); start < bytes.length; end = bytes.indexOf(10, start), number++) {
    const line = bytes.subarray(start, end < 0 ? undefined : end);
    if (!isUtf8(line))
      throw unreadable(path, new Error(`invalid utf8 bytes at line ${number}: [${line.join(" ")}]`));
    start = end < 0 ? bytes.length : end + 1;
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false; // the only reason it throws for
  }
}

/** Lines `NAME=value`, comments and blank lines left out; a name alone is given to `lookUp`. */
function parseLines(
  path: string,
  around: Surroundings,
  lookUp: (name: string) => string | undefined,
): string[] {
  return readLines(path, around).flatMap((raw) => {
    const line = raw.replace(/\r$/, "").trimStart();
    if (line === "" || line.startsWith("#")) return [];
    const at = line.indexOf("=");
    const name = at < 0 ? line : line.slice(0, at);
    if (name === "") throw unreadable(path, new Error(`no variable name on line '${line}'`));
    if (/[ \t]/.test(name)) throw unreadable(path, new Error(`variable '${name}' contains whitespaces`));
    if (at >= 0) return [line];
    const value = lookUp(name);
    return value === undefined ? [] : [value];
  });
}

/** `--env-file`: a name alone copies the client's variable, and is skipped where there is none. */
export const readEnvFile = (path: string, around: Surroundings): string[] =>
  parseLines(path, around, (name) => {
    const own = around.variable(name);
    return own === undefined ? undefined : `${name}=${own}`;
  });

/** `--label-file`, in the form and with the errors of an env file; a name alone is skipped, as docker's client does. */
export const readLabelFile = (path: string, around: Surroundings): string[] =>
  parseLines(path, around, () => undefined);

export function pairs(items: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const item of items) {
    const at = item.indexOf("=");
    found[at < 0 ? item : item.slice(0, at)] = at < 0 ? "" : item.slice(at + 1);
  }
  return found;
}
