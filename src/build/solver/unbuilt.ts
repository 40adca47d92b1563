import { layerForm } from "../../lib/compression/layer-compression.ts";
import { EngineError } from "../../lib/errors.ts";
import type { BuildOutput, BuildRequest } from "../contract.ts";

/** What an output cannot hold is refused before anything runs: a build that dropped it would look as if it had kept it. */
export function refuseUnbuilt(request: BuildRequest): void {
  for (const output of request.outputs) {
    if (["image", "docker", "oci"].includes(output.type)) layerForm(output.attributes);
    refuseIndex(output, request);
  }
}

function refuseIndex({ type, attributes }: BuildOutput, { platforms, attestations }: BuildRequest): void {
  const attested = attestations.provenance !== undefined || attestations.sbom !== undefined;
  const what =
    platforms.length > 1
      ? "an image of several platforms"
      : attested
        ? "an image with attestations"
        : undefined;
  if (what === undefined) return;
  if (type === "image" && attributes["push"] !== "true")
    throw new EngineError(
      "notImplemented",
      `${what} is not kept in the engine's store: push it (--push, or type=registry), or write it to an archive (type=oci,dest=FILE)`,
    );
  if (type === "docker")
    throw new EngineError("invalid", "docker exporter does not currently support exporting manifest lists");
}
