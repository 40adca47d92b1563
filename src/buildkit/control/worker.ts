import type { Encodable } from "../../lib/protobuf/schema.ts";
import type { Platform } from "../../types/oci.ts";
import type { buildkitVersion, workerRecord } from "../messages/worker.ts";

/** What the front door tells of the engine. */
export interface WorkerFacts {
  /** the engine's id */
  id: string;
  /** address that `host-gateway` stands for; undefined = none */
  hostGateway: string | undefined;
  /** the host's own first */
  platforms: readonly Platform[];
}

/** What buildx shows of Docker's own engine. */
export const engineVersion: Encodable<typeof buildkitVersion> = {
  package: "github.com/moby/buildkit",
  version: "v0.0.0+unknown",
};

/** The one worker. */
export function workerOf({ id, hostGateway, platforms }: WorkerFacts): Encodable<typeof workerRecord> {
  return {
    id,
    labels: new Map([
      // by it buildx knows that archives, caches and several platforms may be asked for
      ["org.mobyproject.buildkit.worker.snapshotter", "overlayfs"],
      ...(hostGateway === undefined
        ? []
        : [["org.mobyproject.buildkit.worker.moby.host-gateway-ip", hostGateway] as const]),
    ]),
    platforms: platforms.map(({ os, architecture, variant }) => ({ os, architecture, variant })),
    buildkitVersion: engineVersion,
  };
}
