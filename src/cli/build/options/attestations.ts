import { optionError } from "../failure.ts";
import type { BuildFlags } from "../flags.ts";
import { csv, fields } from "./pairs.ts";

/**
 * The options of each attestation that is asked for, by its type. `--provenance` and `--sbom` take what `--attest` takes,
 * or true and false; the shorthands win.
 */
export function attestations({
  attest,
  provenance,
  sbom,
}: Pick<BuildFlags, "attest" | "provenance" | "sbom">): Record<string, string> {
  const asked: Record<string, string> = {};
  for (const text of attest) {
    const { type, ...given } = options(text, []);
    if (!type) throw optionError(`attestation type not specified: ${text}`);
    asked[type] = joined(given);
  }
  for (const [type, text] of Object.entries({ provenance, sbom })) {
    if (text === "") continue;
    if (text === "true" || text === "1") asked[type] = "";
    else if (text === "false" || text === "0") asked[type] = "disabled=true";
    else asked[type] = joined(options(text));
  }
  return asked;
}

/** One of the modes alone is the mode. */
function options(text: string, modes = ["min", "max"]): Record<string, string> {
  if (modes.includes(text)) return { mode: text };
  if (csv(text).some((field) => !field.includes("="))) throw optionError(`invalid value ${text}`);
  return Object.fromEntries(fields(text));
}

const joined = (options: Record<string, string>): string =>
  Object.entries(options)
    .map(([name, value]) =>
      /[",]/.test(value) ? `"${name}=${value.replaceAll('"', '""')}"` : `${name}=${value}`,
    )
    .join(",");
