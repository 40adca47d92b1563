import { sha256 } from "../../lib/digest.ts";
import { EngineError } from "../../lib/errors.ts";
import type { BuildRequest } from "../contract.ts";
import type { Session } from "./session.ts";

/** What is known and not built yet is refused by name, before anything runs. */
export function refuseUnbuilt({ cacheTo, attestations, platforms, outputs }: BuildRequest): void {
  const [first] = cacheTo;
  if (first !== undefined) throw unbuilt(`export of the build cache (type=${first["type"] ?? "registry"})`);
  if (attestations.provenance !== undefined) throw unbuilt("a provenance attestation (--provenance)");
  if (attestations.sbom) throw unbuilt("an SBOM attestation (--sbom)");
  if (platforms.length > 1 && outputs.some(({ type }) => type === "image"))
    throw unbuilt("an image of several platforms in the engine's store");
}

const unbuilt = (what: string): EngineError =>
  new EngineError("notImplemented", `${what} is not built yet in berth`);

/** A cache that cannot be imported is told and passed over: the build only takes longer. */
export function tellImports(session: Session): void {
  for (const source of session.request.cacheFrom) {
    const name = `importing cache manifest from ${source["ref"] ?? source["src"] ?? source["type"] ?? ""}`;
    const now = Date.now();
    session.vertex({
      digest: sha256(`${session.ref} ${name}`),
      inputs: [],
      name,
      cached: false,
      started: now,
      completed: now,
      error: "import of the build cache is not built yet in berth",
    });
  }
}
