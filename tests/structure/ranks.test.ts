import { expect, test } from "bun:test";
import { dirname, join, normalize, relative } from "node:path";
import { Glob } from "bun";

/** docs/architecture.md's table: a folder imports only folders of a lower rank, or itself. */
const ranks: Record<string, number> = {
  types: 0,
  lib: 1,
  system: 2,
  state: 3,
  content: 4,
  snapshots: 4,
  distribution: 4,
  network: 4,
  volumes: 4,
  runtime: 4,
  images: 5,
  containers: 6,
  build: 6,
  buildkit: 7,
  engine: 8,
  api: 9,
};

/** The client's side: it may see the wire's shapes and the pure helpers, never the engine. */
const clientMay: Record<string, string[]> = {
  client: ["types", "lib"],
  cli: ["types", "lib", "client"],
};

const source = join(import.meta.dir, "../../src");

function violation(from: string, to: string): string | undefined {
  const [folder, target] = [from.split("/")[0] ?? "", to.split("/")[0] ?? ""];
  if (folder === target || !from.includes("/")) return undefined;
  const allowed = clientMay[folder];
  if (allowed) return allowed.includes(target) ? undefined : `${from} imports ${to}`;
  const [own, other] = [ranks[folder], ranks[target]];
  if (own === undefined) return `${from} is in a folder without a rank`;
  return other !== undefined && other < own ? undefined : `${from} imports ${to}`;
}

async function violations(): Promise<string[]> {
  const found: string[] = [];
  for await (const file of new Glob("**/*.ts").scan(source)) {
    const text = await Bun.file(join(source, file)).text();
    for (const match of text.matchAll(/(?:from\s+|import\s*\(\s*|require\s*\(\s*|import\s+)"(\.[^"]+)"/g)) {
      const target = relative(source, normalize(join(source, dirname(file), match[1] ?? "")));
      if (target.startsWith("..")) {
        if (!file.endsWith(".test.ts")) found.push(`${file} imports ${match[1]}, outside src`);
        continue;
      }
      const wrong = violation(file, target);
      if (wrong) found.push(wrong);
    }
  }
  return found.sort();
}

test("a folder imports only folders above it in the rank table", async () => {
  expect(await violations()).toEqual([]);
});

/** The client cannot import `system`; these are its own few spawns and system calls. */
const onItsOwn = new Set([
  "client/ssh.ts",
  "client/kernel.ts",
  "cli/auto-start.ts",
  "cli/build/options/key-agent.ts",
  "cli/credentials/helper.ts",
  "cli/plugins/run.ts",
  "cli/plugins/metadata.ts",
]);

test("only `system` opens libc or spawns", async () => {
  const found: string[] = [];
  for await (const file of new Glob("**/*.ts").scan(source)) {
    if (file.startsWith("system/") || onItsOwn.has(file)) continue;
    if (file.endsWith(".test.ts")) continue;
    const text = await Bun.file(join(source, file)).text();
    if (/from "(bun:ffi|node:child_process)"|Bun\.spawn/.test(text)) found.push(file);
  }
  expect(found.sort()).toEqual([]);
});
