import { existsSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "./errors.ts";
import { programName } from "./program.ts";
import type { Session } from "./session.ts";

const systemFolders = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];

/** A first word that is no command: say so, and say it when an installed docker plugin of that name exists. */
export function runPlugin(session: Session, word: string, _rest: string[]): Promise<number> {
  const found = [join(session.configFolder, "cli-plugins"), ...systemFolders]
    .map((folder) => join(folder, `docker-${word}`))
    .find((path) => /^[\w-]+$/.test(word) && existsSync(path));
  if (found)
    throw new CliError(
      `${programName}: calling the plugin ${found} is not implemented yet; use the docker client with DOCKER_HOST`,
    );
  throw new CliError(
    `${programName}: unknown command: ${programName} ${word}\n\nRun '${programName} --help' for more information`,
  );
}
