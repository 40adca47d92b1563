import { stat } from "node:fs/promises";
import { messageOf } from "../../../lib/errors.ts";
import { parseLayoutName } from "../../../lib/image/oci-layout-name.ts";
import { parseReference } from "../../../lib/image/reference.ts";
import type { LocalBuildRequest, LocalLayout } from "../../../types/local-build.ts";
import { fileError } from "../../run/key-value-files.ts";
import { localFolder, patternsOf, readIgnoreFile } from "../context/folder.ts";
import { isRemote } from "../context/sources.ts";
import { buildError, optionError } from "../failure.ts";

const imagePrefix = "docker-image://";

const layoutPrefix = "oci-layout://";

/** `--build-context name=folder`, `name=docker-image://reference`, `name=oci-layout://folder:tag`, `name=https://…` (git or an archive). */
export async function readContexts(options: readonly string[]): Promise<LocalBuildRequest["namedContexts"]> {
  const contexts: LocalBuildRequest["namedContexts"] = {};
  for (const option of options) {
    const equals = option.indexOf("=");
    if (equals < 0) throw optionError(`invalid context value: ${option}, expected key=value`);
    const name = option.slice(0, equals);
    checkName(name);
    contexts[name] = await readContext(name, option.slice(equals + 1));
  }
  return contexts;
}

/** What a Dockerfile names an image or a stage by, a context can be. */
function checkName(name: string): void {
  try {
    parseReference(name);
  } catch (error) {
    throw optionError(`invalid context name ${name}: ${messageOf(error)}`);
  }
}

async function readContext(name: string, value: string): Promise<LocalBuildRequest["namedContexts"][string]> {
  if (value.startsWith(imagePrefix)) return { image: value.slice(imagePrefix.length) };
  if (value.startsWith(layoutPrefix)) return await readLayout(name, value.slice(layoutPrefix.length));
  if (isRemote(value)) return { url: value };
  const [, target] = /^target:(.*)$/s.exec(value) ?? [];
  if (target !== undefined) throw buildError(`failed to find target ${target} for context ${name}`);
  if (/^(?:[a-z-]+:\/\/|git@)/.test(value))
    throw buildError(
      `failed to get build context ${name}: ${value.split(":", 1)[0]} contexts are not built in berth`,
    );
  await requireFolder(name, value);
  return localFolder(value, patternsOf(await readIgnoreFile(value, undefined)));
}

async function readLayout(name: string, layout: string): Promise<LocalLayout> {
  const { path } = parseLayoutName(layout);
  await requireFolder(name, path);
  return { ...(await localFolder(path, [])), layout };
}

async function requireFolder(name: string, path: string): Promise<void> {
  try {
    const stats = await stat(path);
    if (!stats.isDirectory())
      throw buildError(`failed to get build context ${name}: ${path} is not a directory`);
  } catch (error) {
    if (typeof (error as { code?: unknown }).code === "number") throw error;
    throw buildError(`failed to get build context ${name}: ${fileError("stat", path, error).message}`);
  }
}
