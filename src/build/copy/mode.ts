import { EngineError } from "../../lib/errors.ts";

/**
 * `--chmod`: an octal number, or symbolic changes as chmod(1) takes them (`u=rwX,go=rX`, `+x`). Gives the new permission
 * bits of a file from its old ones. Throws `invalid` in BuildKit's words.
 */
export type ModeChange = (mode: number, isFolder: boolean) => number;

export function parseMode(text: string): ModeChange {
  const fixed = octalMode(text);
  if (fixed !== undefined) return () => fixed;
  if (/^\d/.test(text))
    throw new EngineError(
      "invalid",
      `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
    );
  const clauses = text.split(",").map(parseClause);
  return (mode, isFolder) => clauses.reduce((bits, clause) => clause(bits, isFolder), mode);
}

function octalMode(text: string): number | undefined {
  const mode = /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
  return mode !== undefined && mode <= 0o7777 ? mode : undefined;
}

/**
 * Of folders that are made on the way to the destination: BuildKit makes them with an octal mode, too, under its umask,
 * so without its special bits and what it lets others write.
 */
export const folderMode = (chmod: string): number => (octalMode(chmod) ?? 0o755) & 0o755;

const classes: Record<string, number> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };

function parseClause(text: string): ModeChange {
  const [, who = "", actions = ""] = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(text) ?? [];
  if (actions === "") throw new EngineError("invalid", "invalid syntax");
  const mask = [...(who || "a")].reduce((bits, letter) => bits | (classes[letter] ?? 0), 0);
  const steps = [...actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)];
  return (mode, isFolder) =>
    steps.reduce((bits, [, operator = "", letters = ""]) => {
      const change = bitsOf(letters, bits, isFolder) & mask;
      if (operator === "+") return bits | change;
      return operator === "-" ? bits & ~change : (bits & ~(mask & 0o777)) | change;
    }, mode);
}

function bitsOf(letters: string, mode: number, isFolder: boolean): number {
  if (letters === "u" || letters === "g" || letters === "o") {
    const shift = { u: 6, g: 3, o: 0 }[letters];
    return ((mode >> shift) & 7) * 0o111;
  }
  const executable = isFolder || (mode & 0o111) !== 0;
  const bits: Record<string, number> = {
    r: 0o444,
    w: 0o222,
    x: 0o111,
    X: executable ? 0o111 : 0,
    s: 0o6000,
    t: 0o1000,
  };
  return [...letters].reduce((sum, letter) => sum | (bits[letter] ?? 0), 0);
}
