import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Session } from "../session.ts";

/** Programs that docker's client runs as commands of its own: `docker-<name>` in one of these folders. */
const systemFolders = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];

const prefix = "docker-";
const pluginName = /^[a-z][a-z0-9]*$/;

/** In the order they are searched: what the configuration adds, the user's own, the system's. */
const foldersOf = (session: Session): string[] => [
  ...(session.config.cliPluginsExtraDirs ?? []),
  join(session.configFolder, "cli-plugins"),
  ...systemFolders,
];

/** The program of a plugin's name. */
export function findPlugin(session: Session, name: string): string | undefined {
  if (!pluginName.test(name)) return undefined;
  return foldersOf(session)
    .map((folder) => join(folder, prefix + name))
    .find(isProgram);
}

/** Every plugin there is, by its name: where several folders have one, the first counts. */
export function allPlugins(session: Session): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of foldersOf(session))
    for (const file of filesOf(folder)) {
      const name = file.startsWith(prefix) ? file.slice(prefix.length) : "";
      const path = join(folder, file);
      if (pluginName.test(name) && !found.has(name) && isProgram(path)) found.set(name, path);
    }
  return found;
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // most of the folders are not there, and one that cannot be read has no plugins for this user
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // not there, or not ours to run
  }
}
