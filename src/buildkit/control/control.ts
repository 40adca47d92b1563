import { type Method, serverStream, unary } from "../grpc/method.ts";
import {
  diskUsageRequest,
  diskUsageResponse,
  empty,
  historyEvent,
  historyRequest,
  infoRequest,
  infoResponse,
  listWorkersRequest,
  listWorkersResponse,
  pruneRequest,
  solveRequest,
  solveResponse,
  statusRequest,
  statusResponse,
  updateHistoryRequest,
  usageRecord,
} from "../messages/control.ts";
import { healthRequest, healthResponse } from "../messages/session.ts";
import { tunnelSession } from "../session/tunnel.ts";
import type { Parts } from "../solve/parts.ts";
import { Solve } from "../solve/solve.ts";
import type { Solves } from "../solve/solves.ts";
import { statusMessage } from "../solve/status-message.ts";
import { prune, usage } from "./cache.ts";
import { history, toldBy, updateHistory } from "./history.ts";
import { engineVersion, type WorkerFacts, workerOf } from "./worker.ts";

const service = "/moby.buildkit.v1.Control";

/** The control service: builds, their progress, the cache, the one worker. */
export function controlMethods(parts: Parts, solves: Solves, facts: WorkerFacts): [string, Method][] {
  return [
    [
      `${service}/Solve`,
      unary(solveRequest, solveResponse, async (request, { signal }) => {
        const solve = new Solve(request, parts);
        solves.add(solve);
        try {
          return { exporterResponse: await solve.run(signal) };
        } finally {
          solves.trim();
        }
      }),
    ],
    [
      `${service}/Status`,
      serverStream(statusRequest, statusResponse, async function* ({ ref }, { signal }) {
        const past = solves.get(ref)
          ? undefined
          : parts.builds.history().find((record) => record.ref === ref);
        if (past && past.status !== "running") {
          yield statusMessage(await toldBy(parts.builds, past));
          return;
        }
        const solve = await solves.wait(ref, signal);
        const { progress } = solve;
        for await (const batch of progress.watch(signal))
          yield statusMessage(batch, { dockerfile: solve.dockerfileText, vertex: progress.reader });
      }),
    ],
    [`${service}/Session`, (messages, context) => tunnelSession(parts.sessions, messages, context)],
    [
      `${service}/ListWorkers`,
      unary(listWorkersRequest, listWorkersResponse, async () => ({ record: [workerOf(facts)] })),
    ],
    [`${service}/Info`, unary(infoRequest, infoResponse, async () => ({ buildkitVersion: engineVersion }))],
    [
      `${service}/DiskUsage`,
      unary(diskUsageRequest, diskUsageResponse, async ({ filter }) => ({
        record: usage(parts.builds, filter),
      })),
    ],
    [`${service}/Prune`, serverStream(pruneRequest, usageRecord, (request) => prune(parts.builds, request))],
    [
      `${service}/ListenBuildHistory`,
      serverStream(historyRequest, historyEvent, async function* (request) {
        yield* history(parts.builds, solves, request);
      }),
    ],
    [
      `${service}/UpdateBuildHistory`,
      unary(updateHistoryRequest, empty, async (request) => {
        updateHistory(parts.builds, request);
        return {};
      }),
    ],
    ["/grpc.health.v1.Health/Check", unary(healthRequest, healthResponse, async () => ({ status: 1 }))],
    // clients send traces of their own where the engine takes them; none are kept
    ["/opentelemetry.proto.collector.trace.v1.TraceService/Export", unary(empty, empty, async () => ({}))],
  ];
}
