import type { BuildEvent, BuildStatus, BuildVertex, BuildWarning } from "../../build/contract.ts";
import type { Encodable } from "../../lib/protobuf/schema.ts";
import type { statusResponse, timestamp, vertex, vertexStatus, vertexWarning } from "../messages/control.ts";

const text = new TextEncoder();

/** Milliseconds since the epoch as the wire has them. */
export function toTimestamp(ms: number): Encodable<typeof timestamp> {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

const optional = (ms: number | undefined): Encodable<typeof timestamp> | undefined =>
  ms === undefined ? undefined : toTimestamp(ms);

/** What warnings are about: the text that they show lines of, and the step that read it. */
interface WarnedAbout {
  dockerfile?: string | undefined;
  vertex?: string | undefined;
}

/** A batch of events as one message. */
export function statusMessage(
  events: readonly BuildEvent[],
  about: WarnedAbout = {},
): Encodable<typeof statusResponse> {
  const vertexes: Encodable<typeof vertex>[] = [];
  const statuses: Encodable<typeof vertexStatus>[] = [];
  const warnings: Encodable<typeof vertexWarning>[] = [];
  const logs = [];
  for (const event of events)
    switch (event.kind) {
      case "vertex":
        // BuildKit tells nothing of what it does not need
        if (!event.vertex.skipped) vertexes.push(vertexOf(event.vertex));
        break;
      case "status":
        statuses.push(statusOf(event.status));
        break;
      case "log":
        logs.push({
          vertex: event.vertex,
          timestamp: toTimestamp(event.time),
          stream: event.stream,
          msg: event.data,
        });
        break;
      case "warning":
        warnings.push(warningOf(event.warning, about));
    }
  return { vertexes, statuses, logs, warnings };
}

function vertexOf({
  digest,
  inputs,
  name,
  cached,
  started,
  completed,
  error,
}: BuildVertex): Encodable<typeof vertex> {
  return { digest, inputs, name, cached, started: optional(started), completed: optional(completed), error };
}

function statusOf(status: BuildStatus): Encodable<typeof vertexStatus> {
  const { id, vertex: of, current, total, started, completed } = status;
  return {
    id,
    vertex: of,
    current,
    total,
    timestamp: toTimestamp(completed ?? Date.now()),
    started: toTimestamp(started),
    completed: optional(completed),
  };
}

/** "Rule: sentence (line 3)", as BuildKit's own linter words it. */
function warningOf(
  warning: BuildWarning,
  { dockerfile, vertex: reader }: WarnedAbout,
): Encodable<typeof vertexWarning> {
  const [first] = warning.lines;
  const place = first ? ` (line ${first.start})` : "";
  return {
    vertex: reader,
    level: 1,
    short: text.encode(`${warning.rule}: ${warning.short}${place}`),
    detail: warning.detail.map((line) => text.encode(line)),
    url: warning.url,
    info: {
      filename: warning.dockerfile,
      language: "Dockerfile",
      ...(dockerfile === undefined ? {} : { data: text.encode(dockerfile) }),
    },
    ranges: warning.lines.map(rangeOf),
  };
}

export const rangeOf = ({ start, end }: { start: number; end: number }) => ({
  start: { line: start },
  end: { line: end },
});
