import { expect, test } from "bun:test";
import { groups } from "../grammar/commands-table.ts";
import { findCommand, findIn } from "../grammar/tree.ts";
import { hostedCommands } from "./commands.ts";

test("every hosted command is a command of the grammar", () => {
  for (const path of hostedCommands) {
    const [word = "", second] = path.split(" ");
    const found = second === undefined ? findCommand(word) : findIn(groups[word]?.children() ?? {}, second);
    expect(found, path).toBeDefined();
  }
});

test("a hosted command may be written in each of its spellings", () => {
  const listed = new Set(hostedCommands);
  for (const path of hostedCommands) {
    const [word = "", second] = path.split(" ");
    const found = second === undefined ? undefined : findIn(groups[word]?.children() ?? {}, second);
    if (!found) continue;
    for (const name of [found.name, ...(found.leaf.aliases ?? [])])
      expect(listed.has(`${word} ${name}`), `${word} ${name}`).toBe(true);
  }
});
