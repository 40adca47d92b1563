import { expect, test } from "bun:test";
import { dirname, join, normalize, relative } from "node:path";
import { hostedCommands } from "../../src/cli/hosted/commands.ts";

/*
 * A hosted command runs inside the engine (src/cli/hosted/README.md): the code that it can reach must not touch the process
 * that it happens to be in. What is loaded only behind `needsProcess` is not followed, and is named here.
 */

const source = join(import.meta.dir, "../../src");

/** Where commands are taken from their table, and what a session loads for its own process: not followed further. */
const notFollowed: Record<string, readonly string[]> = {
  "cli/main.ts": ["cli/grammar/help.ts", "cli/plugins/run.ts"],
  "cli/session.ts": ["cli/contexts/store.ts", "cli/auto-start.ts"],
  "cli/config-file.ts": ["lib/go/json/syntax.ts"],
  "cli/run/create.ts": ["cli/images/pull.ts", "cli/run/api-socket.ts"],
  "cli/output/formatter.ts": ["cli/output/template-rows.ts"],
  "cli/commands/version.ts": ["lib/go/template/template.ts", "cli/output/json-struct.ts"],
  "cli/commands/container/list.ts": ["cli/output/size-asked.ts"],
  "cli/commands/container/start.ts": ["cli/commands/container/start-attached.ts"],
  "cli/commands/image/list.ts": ["cli/commands/image/list-tree.ts"],
  "client/client.ts": ["client/ssh.ts"],
};

/** The process's own surroundings, and what only a connection of one's own uses: never called inside the engine. */
const ofProcess: ReadonlySet<string> = new Set([
  "cli/surroundings.ts",
  "cli/stdio.ts",
  "client/kernel.ts",
  "client/blocking.ts",
  "client/connection.ts",
]);

/** One line each, looked at by hand: behind `needsProcess`, or the same in the engine as in any process of the machine. */
const lookedAt: Record<string, readonly string[]> = {
  "cli/main.ts": ["import { ofProcess, type Surroundings }", "around: Surroundings = ofProcess"],
  "cli/config-file.ts": ['(require("node:os") as typeof import("node:os")).homedir()'],
  "cli/run/create.ts": ['require("node:fs") as typeof import("node:fs")'],
  "cli/run/key-value-files.ts": ['require("node:fs") as typeof import("node:fs")'],
  "cli/run/volumes.ts": [
    '(require("node:path") as typeof import("node:path")).resolve(around.folder(), path)',
  ],
  "cli/commands/version.ts": ["process.platform", "process.arch", "Bun.version"],
  "cli/run/ipam.ts": ['import { BlockList, isIP } from "node:net"'],
  "lib/image/platform.ts": ["process.arch"],
  "lib/image/digest.ts": ["Bun.CryptoHasher"],
};

const outside = [
  /\bprocess\.\w+/g,
  /\bBun\.\w+/g,
  /\b(?:from|import|import\(|require\()\s*"(?:node|bun):[^"]+"/g,
  /\b(?:writeNow|writeOut|isTerminal|windowSize|terminalSize)\b/g,
  /\bofProcess\b/g,
  /\bconsole\.\w+/g,
];

/** Comments, and types, do nothing. */
const codeOf = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|\s)\/\/.*$/gm, "$1")
    .replace(/^import type [^;]+;$/gm, "");

const imports = (file: string, code: string): string[] =>
  [...code.matchAll(/(?:from\s+|import\s*\(\s*|require\s*\(\s*|import\s+)"(\.[^"]+)"/g)].map(([, target]) =>
    relative(source, normalize(join(source, dirname(file), target ?? ""))),
  );

/** The files of the hosted commands, by the grammar's table: `ls: { … import("./commands/container/list.ts") }`. */
async function commandFiles(): Promise<string[]> {
  const { findCommand, findIn } = await import("../../src/cli/grammar/tree.ts");
  const { groups } = await import("../../src/cli/grammar/commands-table.ts");
  const files = hostedCommands.map((path) => {
    const [word = "", second] = path.split(" ");
    const leaf =
      second === undefined ? findCommand(word) : findIn(groups[word]?.children() ?? {}, second)?.leaf;
    return normalize(`cli/grammar/${/import\("([^"]+)"\)/.exec(String(leaf?.load))?.[1] ?? "?"}`);
  });
  return [...new Set(files)];
}

async function reachable(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const queue = ["cli/hosted/run.ts", ...(await commandFiles())];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (found.has(file) || ofProcess.has(file) || file === "cli/grammar/commands-table.ts") continue;
    const code = codeOf(await Bun.file(join(source, file)).text());
    found.set(file, code);
    queue.push(...imports(file, code).filter((target) => !notFollowed[file]?.includes(target)));
  }
  return found;
}

test("what a hosted command can reach leaves the engine's process alone", async () => {
  const found: string[] = [];
  for (const [file, code] of await reachable()) {
    let rest = code;
    for (const text of lookedAt[file] ?? []) rest = rest.replaceAll(text, "");
    for (const pattern of outside)
      for (const [text] of rest.matchAll(pattern)) found.push(`${file}: ${text}`);
  }
  expect(found).toEqual([]);
});

test("nothing is named here that is not there", async () => {
  const files = await reachable();
  const stale: string[] = [];
  for (const [file, targets] of Object.entries(notFollowed))
    for (const target of targets)
      if (!imports(file, files.get(file) ?? "").includes(target)) stale.push(`${file} loads ${target}`);
  for (const [file, texts] of Object.entries(lookedAt))
    for (const text of texts) if (!files.get(file)?.includes(text)) stale.push(`${file}: ${text}`);
  expect(stale).toEqual([]);
});

test("the commands of the list are those that say they may be hosted", async () => {
  const { groups } = await import("../../src/cli/grammar/commands-table.ts");
  const { commands } = await import("../../src/cli/grammar/tree.ts");
  const leaves = Object.entries(commands()).concat(
    Object.entries(groups).flatMap(([group, { children }]) =>
      Object.entries(children()).flatMap(([name, leaf]) =>
        [name, ...(leaf.aliases ?? [])].map((each): [string, typeof leaf] => [`${group} ${each}`, leaf]),
      ),
    ),
  );
  const hosted: string[] = [];
  for (const [path, leaf] of leaves) if ((await leaf.load()).command.hosted) hosted.push(path);
  expect(hosted.sort()).toEqual([...hostedCommands].sort());
});
