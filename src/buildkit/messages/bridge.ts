import { bool, bytes, int32, int64, listOf, mapOf, message, string } from "../../lib/protobuf/schema.ts";
import { rpcStatus } from "../grpc/status.ts";
import { cacheEntry } from "./control.ts";
import { definition, range, sourceInfo } from "./ops.ts";
import { stat } from "./session.ts";
import { capability, workerRecord } from "./worker.ts";

/** `moby.buildkit.v1.frontend`, of BuildKit's frontend/gateway/pb/gateway.proto. */
const ref = message({ id: [1, string], def: [2, definition] });
const refMap = message({ refs: [1, mapOf(ref)] });
const result = message({
  ref: [3, ref],
  refs: [4, refMap],
  metadata: [10, mapOf(bytes)],
});

export const pingRequest = message({});
export const pongResponse = message({
  frontendCaps: [1, listOf(capability)],
  llbCaps: [2, listOf(capability)],
  workers: [3, listOf(workerRecord)],
});

export const bridgeSolveRequest = message({
  definition: [1, definition],
  frontend: [2, string],
  frontendOpt: [3, mapOf(string)],
  cacheImports: [12, listOf(cacheEntry)],
  frontendInputs: [13, mapOf(definition)],
  evaluate: [14, bool],
});
export const bridgeSolveResponse = message({ result: [3, result] });

export const returnRequest = message({ result: [1, result], error: [2, rpcStatus] });
export const inputsResponse = message({ definitions: [1, mapOf(definition)] });
export const evaluateRequest = message({ ref: [1, string] });

export const statFileRequest = message({ ref: [1, string], path: [2, string] });
export const statFileResponse = message({ stat: [1, stat] });
const fileRange = message({ offset: [1, int64], length: [2, int64] });
export const readFileRequest = message({ ref: [1, string], path: [2, string], range: [3, fileRange] });
export const readFileResponse = message({ data: [1, bytes] });

export const warnRequest = message({
  digest: [1, string],
  level: [2, int32],
  short: [3, bytes],
  detail: [4, listOf(bytes)],
  url: [5, string],
  info: [6, sourceInfo],
  ranges: [7, listOf(range)],
});
