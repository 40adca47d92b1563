import { EngineError } from "../../../lib/errors.ts";
import { parseCsv } from "../../../lib/go/csv.ts";
import type { BuildRequest, Provenance } from "../../contract.ts";

const invalid = (sentence: string): EngineError => new EngineError("invalid", sentence);

/**
 * Attestations as clients ask for them: by type, each with options (`mode=max,version=v1`). Nothing that is `disabled`, and
 * nothing that clients ask for on their own (`inline-only`): attestations are off by default.
 */
export function askedAttestations(asked: ReadonlyMap<string, string>): BuildRequest["attestations"] {
  const found: BuildRequest["attestations"] = {};
  for (const [type, text] of asked) {
    const options = optionsOf(type, text);
    if (options.get("disabled") === "true" || options.get("inline-only") === "true") continue;
    if (type === "provenance") found.provenance = provenanceOf(options);
    else if (type === "sbom") found.sbom = sbomOf(options);
    else throw invalid(`unknown attestation type ${JSON.stringify(type)}`);
  }
  return found;
}

function optionsOf(type: string, text: string): Map<string, string> {
  try {
    const fields = parseCsv(text).filter((field) => field !== "");
    return new Map(
      fields.map((field) => {
        const [name = "", ...value] = field.split("=");
        return [name, value.join("=")];
      }),
    );
  } catch (error) {
    throw new EngineError("invalid", `failed to parse ${type}: ${text.slice(0, 200)}`, { cause: error });
  }
}

function provenanceOf(options: ReadonlyMap<string, string>): Provenance {
  const mode = options.get("mode") ?? "max";
  const version = options.get("version") ?? "v0.2";
  if (mode !== "min" && mode !== "max" && mode !== "full")
    throw invalid(`invalid mode ${JSON.stringify(mode)}`);
  if (version !== "v1" && version !== "v0.2") throw invalid(`invalid provenance SLSA version: ${version}`);
  return {
    mode: mode === "min" ? "min" : "max",
    version,
    builderId: options.get("builder-id") ?? "",
    reproducible: options.get("reproducible") === "true",
  };
}

/** A scanner of the user's is an image that would have to be run with BuildKit's protocol. */
function sbomOf(options: ReadonlyMap<string, string>): Record<string, never> {
  const generator = options.get("generator") ?? "";
  if (generator !== "")
    throw new EngineError(
      "notImplemented",
      `the SBOM generator ${generator} is not run by berth, which reads the records of dpkg, apk, npm and pip itself: leave generator out`,
    );
  return {};
}
