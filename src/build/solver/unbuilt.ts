import { EngineError } from "../../lib/errors.ts";
import type { BuildRequest } from "../contract.ts";

/** What an output cannot hold is refused before anything runs: a build that dropped it would look as if it had kept it. */
export function refuseUnbuilt({ attestations, platforms, outputs }: BuildRequest): void {
  const what =
    platforms.length > 1
      ? "an image of several platforms"
      : attestations.provenance !== undefined || attestations.sbom !== undefined
        ? "an image with attestations"
        : undefined;
  if (what === undefined) return;
  for (const { type, attributes } of outputs) {
    if (type === "image" && attributes["push"] !== "true")
      throw new EngineError(
        "notImplemented",
        `${what} is not kept in the engine's store: push it (--push, or type=registry), or write it to an archive (type=oci,dest=FILE)`,
      );
    if (type === "docker")
      throw new EngineError("invalid", "docker exporter does not currently support exporting manifest lists");
  }
}
