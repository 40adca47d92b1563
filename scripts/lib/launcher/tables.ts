import { defaultHost } from "../../../src/cli/endpoint.ts";
import {
  barringSettings,
  barringVariables,
  hostedBodyLimit,
  hostedCommands,
  hostedVariables,
} from "../../../src/cli/hosted/commands.ts";

/** What the launcher knows of the client: `tables.h` of src/launcher, made of the lists that the engine uses, too. */
export function launcherTables(buildId: string): string {
  return [
    text("build_id", buildId),
    text("default_socket", defaultHost.replace("unix://", "")),
    list("hosted_commands", hostedCommands),
    list("hosted_variables", hostedVariables),
    list("barring_variables", barringVariables),
    list("barring_settings", barringSettings),
    `enum { hosted_variable_count = ${hostedVariables.length}, body_limit = ${hostedBodyLimit} };`,
    "",
  ].join("\n");
}

/** Strings that end with a zero byte, the last one followed by an empty one. */
const list = (name: string, values: readonly string[]): string =>
  `static const char ${name}[] = ${values.map((value) => `${quoted(value)} "\\0"`).join(" ")};`;

const text = (name: string, value: string): string => `static const char ${name}[] = ${quoted(value)};`;

function quoted(value: string): string {
  if (!/^[\w ./+-]+$/.test(value))
    throw new Error(`not a word that the launcher's tables can hold: ${JSON.stringify(value)}`);
  return `"${value}"`;
}
