import type { BuildEvent, BuildHistoryRecord, Builds } from "../../build/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import type { Decoded, Encodable } from "../../lib/protobuf/schema.ts";
import { codes } from "../grpc/status.ts";
import {
  type historyEvent,
  historyEventType,
  type historyRecord,
  type historyRequest,
  type updateHistoryRequest,
} from "../messages/control.ts";
import type { ResultDocument } from "../solve/solve.ts";
import type { Solves } from "../solve/solves.ts";
import { toTimestamp } from "../solve/status-message.ts";

/** The builds of the history, newest first, as events; those to come are not waited for. */
export function* history(
  builds: Builds,
  solves: Solves,
  { ref, activeOnly, limit }: Decoded<typeof historyRequest>,
): Generator<Encodable<typeof historyEvent>> {
  const wanted = builds
    .history()
    .filter((record) => (ref === "" || record.ref === ref) && (!activeOnly || record.status === "running"));
  for (const record of limit > 0 ? wanted.slice(0, limit) : wanted) {
    const type = record.status === "running" ? historyEventType.started : historyEventType.complete;
    yield { type, record: { ...recordOf(record), ...resultsOf(solves.get(record.ref)?.documents ?? []) } };
  }
}

export function updateHistory(
  builds: Builds,
  { ref, delete: forget, pinned }: Decoded<typeof updateHistoryRequest>,
): void {
  if (pinned) throw new EngineError("notImplemented", "pinned builds are not supported by berth yet");
  if (forget && !builds.forget(ref))
    throw new EngineError("notFound", `no record found for ref ${JSON.stringify(ref)}`);
}

/** What a build of the history told, as far as it was kept: its steps, and what they printed. */
export async function toldBy(builds: Builds, record: BuildHistoryRecord): Promise<BuildEvent[]> {
  const logs = await builds.logs(record.ref);
  const printed = logs.map(({ step, stream, time, data }): BuildEvent => {
    return { kind: "log", vertex: digestOf(step), stream, time, data: Buffer.from(data, "base64") };
  });
  return [...stepsOf(record), ...printed];
}

/** A record's steps have numbers alone. */
const digestOf = (step: number): string => `sha256:${step.toString(16).padStart(64, "0")}`;

function stepsOf({ steps }: BuildHistoryRecord): BuildEvent[] {
  return steps.map(({ name, startedAt, completedAt, cached, error }, at) => ({
    kind: "vertex",
    vertex: {
      digest: digestOf(at),
      inputs: [],
      name,
      cached,
      ...(startedAt === undefined ? {} : { started: startedAt }),
      ...(completedAt === undefined ? {} : { completed: completedAt }),
      ...(error === undefined ? {} : { error }),
    },
  }));
}

/** Where each result's provenance is to be read. */
function resultsOf(documents: readonly ResultDocument[]): Partial<Encodable<typeof historyRecord>> {
  const infos = documents.map(({ platform, digest, bytes }) => {
    const annotations = new Map([["in-toto.io/predicate-type", "https://slsa.dev/provenance/v0.2"]]);
    const attestation = {
      mediaType: "application/vnd.in-toto+json",
      digest,
      size: bytes.length,
      annotations,
    };
    return [platform, { attestations: [attestation] }] as const;
  });
  const [first] = infos;
  if (first === undefined) return {};
  return infos.length === 1 ? { result: first[1] } : { results: new Map(infos) };
}

function recordOf(record: BuildHistoryRecord): Encodable<typeof historyRecord> {
  const { ref, dockerfile, target, platforms, tags, images, steps, status, error } = record;
  const attributes = new Map([["filename", dockerfile]]);
  if (target !== undefined) attributes.set("target", target);
  if (platforms.length > 0) attributes.set("platform", platforms.join(","));
  const [image] = images;
  const done = steps.filter(({ completedAt }) => completedAt !== undefined);
  return {
    ref,
    frontend: "dockerfile.v0",
    frontendAttrs: attributes,
    exporters: [{ type: "image", attrs: new Map([["name", tags.join(",")]]) }],
    exporterResponse: new Map(image === undefined ? [] : [["containerimage.digest", image]]),
    createdAt: toTimestamp(record.startedAt),
    completedAt: record.completedAt === undefined ? undefined : toTimestamp(record.completedAt),
    numTotalSteps: steps.length,
    numCompletedSteps: done.length,
    numCachedSteps: steps.filter(({ cached }) => cached).length,
    ...(error === undefined
      ? {}
      : { error: { code: status === "canceled" ? codes.canceled : codes.unknown, message: error } }),
  };
}
