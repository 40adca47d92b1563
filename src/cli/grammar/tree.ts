import { groups, type Leaf, shortForms, ungrouped } from "./commands-table.ts";

const own = <T>(table: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** A command by its first word: a short form, or one of no group. */
export function findCommand(word: string): Leaf | undefined {
  const place = own(shortForms, word);
  return place ? groups[place[0]]?.children()[place[1]] : own(ungrouped(), word);
}

/** What the program does besides being a client (src/main.ts), with its summary. */
export const roles: Readonly<Record<string, string>> = {
  daemon: "Run the engine",
  doctor: "Check what this machine needs to run containers",
};

/** Every command that has a word of its own, for help and completion. */
export function commands(): Record<string, Leaf> {
  const found: Record<string, Leaf> = {};
  for (const word of [...Object.keys(shortForms), ...Object.keys(ungrouped())]) {
    const leaf = findCommand(word);
    if (!leaf) throw new Error(`no such command in the tree: ${word}`);
    found[word] = leaf;
  }
  return found;
}

/** Every spelling of a leaf, for `--help`: `berth container ls, berth ps`. */
export function spellings(group: string, name: string): string[] {
  const leaf = groups[group]?.children()[name];
  const names = [name, ...(leaf?.aliases ?? [])].map((each) => `${group} ${each}`);
  const short = Object.entries(shortForms).find(([, [g, n]]) => g === group && n === name)?.[0];
  return short ? [...names, short] : names;
}

export function findIn(
  children: Record<string, Leaf>,
  name: string,
): { name: string; leaf: Leaf } | undefined {
  const own = Object.hasOwn(children, name) ? children[name] : undefined;
  if (own) return { name, leaf: own };
  const found = Object.entries(children).find(([, leaf]) => leaf.aliases?.includes(name));
  return found && { name: found[0], leaf: found[1] };
}
