import { bool, int64, listOf, mapOf, message, string } from "../../lib/protobuf/schema.ts";
import { platform } from "./ops.ts";

/** `moby.buildkit.v1.types`, of BuildKit's api/types/worker.proto, and its capabilities (util/apicaps). */
const gcPolicy = message({
  all: [1, bool],
  /** nanoseconds */
  keepDuration: [2, int64],
  reservedSpace: [3, int64],
  filters: [4, listOf(string)],
  maxUsedSpace: [5, int64],
  minFreeSpace: [6, int64],
});
export const buildkitVersion = message({
  package: [1, string],
  version: [2, string],
  revision: [3, string],
  dockerfileVersion: [4, string],
});
export const workerRecord = message({
  id: [1, string],
  labels: [2, mapOf(string)],
  platforms: [3, listOf(platform)],
  gcPolicy: [4, listOf(gcPolicy)],
  buildkitVersion: [5, buildkitVersion],
});
export const capability = message({
  id: [1, string],
  enabled: [2, bool],
  deprecated: [3, bool],
  disabledReason: [5, string],
});
