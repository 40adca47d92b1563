import type { ConfigFile } from "./config-types.ts";
import type { Surroundings } from "./surroundings.ts";

export const defaultConfigFolder = (around: Surroundings): string =>
  around.variable("DOCKER_CONFIG") || `${around.variable("HOME") ?? passwdHome(around)}/.docker`;

function passwdHome(around: Surroundings): string {
  around.needsProcess("the home of its user");
  return (require("node:os") as typeof import("node:os")).homedir();
}

/** A missing file is an empty one; one that cannot be read is reported and then treated as empty. */
export function readConfigFile(
  folder: string,
  readText: Surroundings["readText"],
  warn: (line: string) => void,
): ConfigFile {
  const path = `${folder}/config.json`;
  let text: string | undefined;
  try {
    text = readText(path);
  } catch (error) {
    warn(`WARNING: Error loading config file: ${(error as Error).message}`);
  }
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as ConfigFile;
  } catch {
    // The engine of JavaScript words its errors otherwise than scripts know them.
    warn(`WARNING: Error parsing config file (${path}): ${jsonProblem(text)}`);
    return {};
  }
}

/** The first mistake of a JSON text, in the words of Go's decoder, which scripts know. */
function jsonProblem(text: string): string {
  const { scan } = require("../lib/go/json/syntax.ts") as typeof import("../lib/go/json/syntax.ts");
  const found = scan(text);
  return "error" in found ? found.error : "invalid JSON";
}
