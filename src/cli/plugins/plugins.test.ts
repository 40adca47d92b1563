import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Session } from "../session.ts";
import { allPlugins, findPlugin } from "./find.ts";
import { readMetadata } from "./metadata.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "berth-plugins-"));
  mkdirSync(join(folder, "extra"));
  mkdirSync(join(folder, "cli-plugins"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const session = (): Session =>
  ({ configFolder: folder, config: { cliPluginsExtraDirs: [join(folder, "extra")] } }) as unknown as Session;

function program(path: string, text: string, mode = 0o755): string {
  const file = join(folder, path);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, mode);
  return file;
}

test("folders of the configuration come before the user's own", () => {
  const own = program("cli-plugins/docker-zza", "");
  expect(findPlugin(session(), "zza")).toBe(own);
  const extra = program("extra/docker-zza", "");
  expect(findPlugin(session(), "zza")).toBe(extra);
  expect(allPlugins(session()).get("zza")).toBe(extra);
});

test("what cannot be run, is a folder, or leads elsewhere is no plugin", () => {
  program("cli-plugins/docker-zzb", "", 0o644);
  mkdirSync(join(folder, "cli-plugins/docker-zzc"));
  program("docker-zzd", "");
  for (const name of ["zzb", "zzc", "../docker-zzd", "/docker-zzd", "", "ZZ"])
    expect(findPlugin(session(), name)).toBeUndefined();
});

test("a plugin says who made it, and one that does not is none", async () => {
  const good = `echo '{"SchemaVersion":"0.1.0","Vendor":"v","ShortDescription":"d"}'`;
  expect(await readMetadata(program("good", good))).toMatchObject({ Vendor: "v", ShortDescription: "d" });
  await expect(readMetadata(program("failing", "exit 3"))).rejects.toThrow("exit status 3");
  await expect(readMetadata(program("mute", "echo nonsense"))).rejects.toThrow("invalid metadata");
  await expect(readMetadata(program("null", "echo null"))).rejects.toThrow("must be 0.1.0");
  const old = `echo '{"SchemaVersion":"9.0.0","Vendor":"v"}'`;
  await expect(readMetadata(program("old", old))).rejects.toThrow('"9.0.0" is not valid');
  await expect(readMetadata(program("nobody", `echo '{"SchemaVersion":"0.1.0"}'`))).rejects.toThrow("vendor");
});
