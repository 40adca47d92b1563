import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { LocalFolder } from "../../../types/local-build.ts";
import { localFolder } from "../context/folder.ts";
import { buildError, optionError } from "../failure.ts";
import type { BuildFlags } from "../flags.ts";
import type { Output } from "./outputs.ts";
import { fields } from "./pairs.ts";

type Caches = Pick<BuildFlags, "cacheFrom" | "cacheTo">;

/**
 * `type=registry,ref=…`; a bare reference is a registry's. `oci` is another name of `local`: a folder that is an OCI layout.
 * Paths are made absolute on this side.
 */
export function cacheOption(text: string): Record<string, string> {
  if (!text.includes("=")) return { type: "registry", ref: text };
  const option = Object.fromEntries(fields(text));
  if (!option["type"]) throw optionError(`type required form> ${JSON.stringify(text)}`);
  if (option["type"] === "oci") option["type"] = "local";
  for (const name of ["src", "dest"]) if (option[name]) option[name] = resolve(option[name]);
  return option;
}

/** A cache that is read must say where it is. */
export function cacheSource(text: string): Record<string, string> {
  const option = cacheOption(text);
  if (option["type"] === "local" && !option["src"]) throw buildError("local cache importer requires src");
  if (option["type"] === "registry" && !option["ref"])
    throw buildError("registry cache importer requires ref");
  return option;
}

/** The folders of `local` caches that are there: the engine reads them in place. */
export async function cacheFolders({ cacheFrom, cacheTo }: Caches): Promise<Record<string, LocalFolder>> {
  const folders: Record<string, LocalFolder> = {};
  for (const { type, src, dest } of [...cacheFrom, ...cacheTo].map(cacheOption)) {
    const path = src ?? dest;
    if (type === "local" && path && (await isFolder(path))) folders[path] = await localFolder(path, []);
  }
  return folders;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "")) return false;
    throw error;
  }
}

/** What the engine sends of caches, behind the outputs: folders to unpack into. */
export const cacheOutputs = ({ cacheTo }: Caches): Output[] =>
  cacheTo.map(cacheOption).map(({ type, dest }) => ({
    type: "local",
    attributes: {},
    dest: type === "local" ? dest : undefined,
  }));
