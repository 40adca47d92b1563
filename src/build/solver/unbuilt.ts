import { EngineError } from "../../lib/errors.ts";
import type { BuildRequest } from "../contract.ts";

/** What is known and not built yet is refused by name, before anything runs. */
export function refuseUnbuilt({ attestations, platforms, outputs }: BuildRequest): void {
  if (attestations.provenance !== undefined) throw unbuilt("a provenance attestation (--provenance)");
  if (attestations.sbom) throw unbuilt("an SBOM attestation (--sbom)");
  if (platforms.length > 1 && outputs.some(({ type }) => type === "image"))
    throw unbuilt("an image of several platforms in the engine's store");
}

const unbuilt = (what: string): EngineError =>
  new EngineError("notImplemented", `${what} is not built yet in berth`);
