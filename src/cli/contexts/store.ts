import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Endpoint } from "../endpoint.ts";
import { CliError } from "../errors.ts";

/** `contexts/meta/<sha256 of the name>/meta.json` of the configuration's folder, shared with docker's client. */
export interface ContextMeta {
  Name: string;
  Metadata: { Description?: string };
  Endpoints: { docker?: { Host?: string; SkipTLSVerify?: boolean } };
}

/** What the context that nobody made is for. */
export const defaultDescription = "Current DOCKER_HOST based configuration";

const idOf = (name: string): string => createHash("sha256").update(name).digest("hex");
export const metaFolder = (folder: string, name: string): string => join(folder, "contexts/meta", idOf(name));
export const tlsFolder = (folder: string, name: string): string => join(folder, "contexts/tls", idOf(name));

export function readContext(folder: string, name: string): ContextMeta {
  try {
    return JSON.parse(readFileSync(join(metaFolder(folder, name), "meta.json"), "utf8")) as ContextMeta;
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    throw new CliError(
      `context ${JSON.stringify(name)}: context not found: open ${join(metaFolder(folder, name), "meta.json")}: no such file or directory`,
    );
  }
}

export const contextExists = (folder: string, name: string): boolean =>
  existsSync(join(metaFolder(folder, name), "meta.json"));

export function listContexts(folder: string): ContextMeta[] {
  const meta = join(folder, "contexts/meta");
  if (!existsSync(meta)) return [];
  return readdirSync(meta)
    .filter((id) => existsSync(join(meta, id, "meta.json")))
    .map((id) => JSON.parse(readFileSync(join(meta, id, "meta.json"), "utf8")) as ContextMeta);
}

export function checkContextName(name: string): void {
  if (name === "") throw new CliError("context name cannot be empty");
  if (name === "default") throw new CliError('"default" is a reserved context name');
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/.test(name))
    throw new CliError(
      `context name ${JSON.stringify(name)} is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"`,
    );
}

export function writeContext(folder: string, meta: ContextMeta): void {
  const path = metaFolder(folder, meta.Name);
  mkdirSync(path, { recursive: true, mode: 0o755 });
  writeWhole(join(path, "meta.json"), JSON.stringify(meta));
}

export function writeTls(folder: string, name: string, files: Record<string, Buffer>): void {
  const path = join(tlsFolder(folder, name), "docker");
  mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const [file, content] of Object.entries(files))
    writeFileSync(join(path, file), content, { mode: 0o600 });
}

export function removeContext(folder: string, name: string): void {
  rmSync(metaFolder(folder, name), { recursive: true, force: true });
  rmSync(tlsFolder(folder, name), { recursive: true, force: true });
}

function writeWhole(path: string, text: string): void {
  const temporary = `${path}.tmp-${process.pid}`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}

/** Sets one key of config.json and keeps the others; `undefined` removes it. */
export function setConfigKey(folder: string, key: string, value: unknown): void {
  const named = join(folder, "config.json");
  const path = existsSync(named) ? realpathSync(named) : named; // a link into somebody's dotfiles stays one
  const config = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>) : {};
  if (value === undefined) delete config[key];
  else config[key] = value;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeWhole(path, JSON.stringify(config, null, "\t"));
}

export function contextEndpoint(folder: string, name: string): Endpoint {
  const { docker = {} } = readContext(folder, name).Endpoints;
  const tls = join(tlsFolder(folder, name), "docker");
  return {
    context: name,
    url: docker.Host ?? "",
    named: true,
    tls: existsSync(tls),
    ...(existsSync(tls) ? { tlsFolder: tls } : {}),
    skipTlsVerify: docker.SkipTLSVerify ?? false,
  };
}
