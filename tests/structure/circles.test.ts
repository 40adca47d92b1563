import { expect, test } from "bun:test";
import { dirname, join, normalize } from "node:path";
import { Glob } from "bun";

/*
 * Files that import each other cannot be read one after the other. What two files share, a type or a function, lies in a
 * third that knows neither. Types count as well as what runs, and what is loaded only when it is needed.
 */

/** The circles there are, each by its files in order, and why. */
const known: readonly (readonly [reason: string, ...files: string[]])[] = [
  [
    "the table of commands loads the commands of completion, which print that table",
    "cli/commands/completion/bash.ts",
    "cli/commands/completion/fish.ts",
    "cli/commands/completion/zsh.ts",
    "cli/grammar/commands-table.ts",
    "cli/grammar/completion-script.ts",
    "cli/grammar/tree.ts",
  ],
  [
    "one recursive type: a vertex has an operation, an operation works on vertices",
    "build/graph/operation.ts",
    "build/graph/vertex.ts",
  ],
  [
    "an automatic start that fails plans the next one",
    "containers/lifecycle/restart-manager.ts",
    "containers/start/start.ts",
  ],
];

const source = join(import.meta.dir, "../../src");

/** `import … from "./x.ts"`, `export … from`, `import("./x.ts")` and `require("./x.ts")`; never inside a comment. */
const reference =
  /^(?:import|export)\b[^;"]*?\bfrom\s+"(\.[^"]+)"|^import\s+"(\.[^"]+)"|\b(?:import|require)\(\s*"(\.[^"]+)"\s*\)/gm;

async function importsOf(file: string): Promise<string[]> {
  const text = await Bun.file(join(source, file)).text();
  const code = text.replace(/^\s*(?:\/\*\*?[\s\S]*?\*\/|\/\/.*)$/gm, "");
  return [...code.matchAll(reference)].map(([, from, bare, called]) =>
    normalize(join(dirname(file), from ?? bare ?? called ?? "")),
  );
}

/** Groups of files of which each leads to every other: Tarjan's strongly connected components, larger than one. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const stack: string[] = [];
  const open = new Set<string>();
  const found: string[][] = [];
  const visit = (file: string): number => {
    const index = order.size;
    order.set(file, index);
    stack.push(file);
    open.add(file);
    let lowest = index;
    for (const target of graph.get(file) ?? []) {
      if (!graph.has(target)) continue;
      if (!order.has(target)) lowest = Math.min(lowest, visit(target));
      else if (open.has(target)) lowest = Math.min(lowest, order.get(target) ?? lowest);
    }
    if (lowest < index) return lowest;
    const group = stack.splice(stack.indexOf(file));
    for (const each of group) open.delete(each);
    if (group.length > 1) found.push(group.sort());
    return lowest;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return found;
}

test("no files import each other but those that are known to", async () => {
  const files = [...new Glob("**/*.ts").scanSync(source)].filter((file) => !file.endsWith(".test.ts"));
  const graph = new Map(await Promise.all(files.map(async (file) => [file, await importsOf(file)] as const)));
  expect(graph.size).toBeGreaterThan(500);
  const expected = known.map(([, ...circle]) => circle.sort());
  expect(circlesIn(graph).sort()).toEqual(expected.sort());
});

test("a circle is found whole, and nothing beside it", () => {
  const graph = new Map([
    ["a", ["b", "x"]],
    ["b", ["c"]],
    ["c", ["a", "d"]],
    ["d", ["e"]],
    ["e", []],
  ]);
  expect(circlesIn(graph)).toEqual([["a", "b", "c"]]);
});
