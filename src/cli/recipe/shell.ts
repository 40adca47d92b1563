import type { Recipe } from "./option.ts";

/** A word, so that every POSIX shell reads it back as it was. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(" ");

/** The words of the command that makes such a container again. */
export function runWords({ name, image, options, command, entrypoint }: Recipe, program: string): string[] {
  const [first = "", ...rest] = entrypoint ?? [];
  const flags = options.flatMap(({ flag, value }) =>
    flag === undefined ? [] : value === undefined ? [flag] : [flag, value],
  );
  // the option takes one word: what follows it in the entrypoint goes before the command
  const entry = entrypoint === undefined ? [] : first === "" ? ["--entrypoint="] : ["--entrypoint", first];
  return [program, "run", "--name", name, ...flags, ...entry, image, ...rest, ...(command ?? [])];
}
