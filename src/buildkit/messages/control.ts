import { bool, bytes, int32, int64, listOf, mapOf, message, string } from "../../lib/protobuf/schema.ts";
import { rpcStatus } from "../grpc/status.ts";
import { definition, range, sourceInfo } from "./ops.ts";
import { buildkitVersion, workerRecord } from "./worker.ts";

/** `moby.buildkit.v1`, of BuildKit's api/services/control/control.proto. */
export const timestamp = message({ seconds: [1, int64], nanos: [2, int32] });

const exporter = message({ type: [1, string], attrs: [2, mapOf(string)] });
export const cacheEntry = message({ type: [1, string], attrs: [2, mapOf(string)] });
const cacheOptions = message({ exports: [4, listOf(cacheEntry)], imports: [5, listOf(cacheEntry)] });

export const solveRequest = message({
  ref: [1, string],
  definition: [2, definition],
  /** of clients that know one exporter only */
  exporter: [3, string],
  exporterAttrs: [4, mapOf(string)],
  session: [5, string],
  frontend: [6, string],
  frontendAttrs: [7, mapOf(string)],
  cache: [8, cacheOptions],
  entitlements: [9, listOf(string)],
  frontendInputs: [10, mapOf(definition)],
  /** a build that the history leaves out */
  internal: [11, bool],
  exporters: [13, listOf(exporter)],
});
export const solveResponse = message({ exporterResponse: [1, mapOf(string)] });

export const statusRequest = message({ ref: [1, string] });
export const vertex = message({
  digest: [1, string],
  inputs: [2, listOf(string)],
  name: [3, string],
  cached: [4, bool],
  started: [5, timestamp],
  completed: [6, timestamp],
  error: [7, string],
});
export const vertexStatus = message({
  id: [1, string],
  vertex: [2, string],
  name: [3, string],
  current: [4, int64],
  total: [5, int64],
  timestamp: [6, timestamp],
  started: [7, timestamp],
  completed: [8, timestamp],
});
const vertexLog = message({
  vertex: [1, string],
  timestamp: [2, timestamp],
  stream: [3, int64],
  msg: [4, bytes],
});
export const vertexWarning = message({
  vertex: [1, string],
  level: [2, int64],
  short: [3, bytes],
  detail: [4, listOf(bytes)],
  url: [5, string],
  info: [6, sourceInfo],
  ranges: [7, listOf(range)],
});
export const statusResponse = message({
  vertexes: [1, listOf(vertex)],
  statuses: [2, listOf(vertexStatus)],
  logs: [3, listOf(vertexLog)],
  warnings: [4, listOf(vertexWarning)],
});

export const listWorkersRequest = message({ filter: [1, listOf(string)] });
export const listWorkersResponse = message({ record: [1, listOf(workerRecord)] });
export const infoRequest = message({});
export const infoResponse = message({ buildkitVersion: [1, buildkitVersion] });

export const diskUsageRequest = message({ filter: [1, listOf(string)] });
export const usageRecord = message({
  id: [1, string],
  mutable: [2, bool],
  inUse: [3, bool],
  size: [4, int64],
  createdAt: [6, timestamp],
  lastUsedAt: [7, timestamp],
  usageCount: [8, int64],
  description: [9, string],
  recordType: [10, string],
  shared: [11, bool],
  parents: [12, listOf(string)],
});
export const diskUsageResponse = message({ record: [1, listOf(usageRecord)] });
export const pruneRequest = message({
  filter: [1, listOf(string)],
  all: [2, bool],
  /** nanoseconds */
  keepDuration: [3, int64],
  reservedSpace: [4, int64],
  maxUsedSpace: [5, int64],
  minFreeSpace: [6, int64],
});

export const historyRequest = message({
  activeOnly: [1, bool],
  ref: [2, string],
  earlyExit: [3, bool],
  filter: [4, listOf(string)],
  limit: [5, int32],
});
const descriptor = message({
  mediaType: [1, string],
  digest: [2, string],
  size: [3, int64],
  annotations: [5, mapOf(string)],
});
const resultInfo = message({ attestations: [2, listOf(descriptor)] });
export const historyRecord = message({
  ref: [1, string],
  frontend: [2, string],
  frontendAttrs: [3, mapOf(string)],
  exporters: [4, listOf(exporter)],
  error: [5, rpcStatus],
  createdAt: [6, timestamp],
  completedAt: [7, timestamp],
  logs: [8, descriptor],
  exporterResponse: [9, mapOf(string)],
  /** of a build of one platform … */
  result: [10, resultInfo],
  /** … and of several, by platform */
  results: [11, mapOf(resultInfo)],
  generation: [12, int32],
  pinned: [14, bool],
  numCachedSteps: [15, int32],
  numTotalSteps: [16, int32],
  numCompletedSteps: [17, int32],
  externalError: [18, descriptor],
  numWarnings: [19, int32],
});
export const historyEventType = { started: 0, complete: 1, deleted: 2 } as const;
export const historyEvent = message({ type: [1, int32], record: [2, historyRecord] });
export const updateHistoryRequest = message({
  ref: [1, string],
  pinned: [2, bool],
  delete: [3, bool],
  finalize: [4, bool],
});
export const empty = message({});
