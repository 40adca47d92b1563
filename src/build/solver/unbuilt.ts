import { EngineError } from "../../lib/errors.ts";
import type { BuildOutput, BuildRequest } from "../contract.ts";

/** What an output cannot hold is refused before anything runs: a build that dropped it would look as if it had kept it. */
export function refuseUnbuilt(request: BuildRequest): void {
  for (const output of request.outputs) {
    refuseCompression(output);
    refuseIndex(output, request);
  }
}

/** Layers are gzip where they are sent, and as they are in archives. */
function refuseCompression({ type, attributes }: BuildOutput): void {
  const { compression } = attributes;
  if (type === "local" || type === "tar" || type === "cacheonly" || compression === undefined) return;
  const sent = type === "image" || attributes["tar"] === "false";
  if (sent ? compression === "gzip" : compression === "uncompressed") return;
  throw new EngineError(
    "notImplemented",
    `layers compressed as ${compression} are not built yet in berth for this output: ${sent ? "gzip" : "uncompressed"} is`,
  );
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
