import type { LocalBuildMessage, WireStatus, WireVertex, WireWarning } from "../../../types/local-build.ts";
import type { Display } from "./display.ts";

/** One JSON object a line, in the shapes of BuildKit's status stream. */
export class RawJsonDisplay implements Display {
  private readonly write: (text: string) => void;
  private readonly dockerfile: () => string;
  private reader = "";

  /** `dockerfile`: the text that warnings are about. */
  constructor(write: (text: string) => void, dockerfile: () => string = () => "") {
    this.write = write;
    this.dockerfile = dockerfile;
  }

  take(message: LocalBuildMessage): void {
    const object = this.shape(message);
    if (object !== undefined) this.write(`${JSON.stringify(object)}\n`);
  }

  refresh(): void {
    // every message is written at once
  }

  end(): void {
    // as above
  }

  private shape(message: LocalBuildMessage): object | undefined {
    if (message.kind === "vertex") {
      this.reader ||= message.vertex.digest;
      return { vertexes: [vertex(message.vertex)] };
    }
    if (message.kind === "status") return { statuses: [status(message.status)] };
    if (message.kind === "warning")
      return { warnings: [warning(message.warning, this.reader, this.dockerfile())] };
    if (message.kind !== "log") return undefined;
    const { vertex: digest, stream, data, time } = message;
    return { logs: [{ vertex: digest, stream, data, timestamp: moment(time) }] };
  }
}

const moment = (ms: number): string => new Date(ms).toISOString();
const momentOr = (name: string, ms: number | undefined) => (ms === undefined ? {} : { [name]: moment(ms) });

const vertex = ({
  digest,
  inputs,
  name,
  started,
  completed,
  cached,
  error,
  skipped,
  reasons,
  usage,
}: WireVertex) => ({
  digest,
  ...(inputs.length > 0 ? { inputs } : {}),
  name,
  ...momentOr("started", started),
  ...momentOr("completed", completed),
  ...(cached ? { cached } : {}),
  ...(error === undefined ? {} : { error }),
  ...(skipped ? { skipped } : {}),
  ...(reasons === undefined ? {} : { reasons }),
  ...(usage === undefined ? {} : { usage }),
});

const status = ({ id, vertex: digest, current, total, started, completed }: WireStatus) => ({
  id,
  vertex: digest,
  current,
  ...(total > 0 ? { total } : {}),
  timestamp: moment(completed ?? Date.now()),
  started: moment(started),
  ...momentOr("completed", completed),
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");

export const warning = (
  { rule, short, detail, url, lines, dockerfile }: WireWarning,
  digest: string,
  text: string,
) => ({
  vertex: digest,
  level: 1,
  short: base64(`${rule}: ${short}${lines[0] ? ` (line ${lines[0].start})` : ""}`),
  detail: detail.map(base64),
  url,
  sourceInfo: { filename: dockerfile, data: base64(text), language: "Dockerfile" },
  range: lines.map(({ start, end }) => ({ start: { line: start }, end: { line: end } })),
});
