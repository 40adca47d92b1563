import type { LocalBuildMessage, WireStatus, WireVertex, WireWarning } from "../../../types/local-build.ts";

/** What is known of a step: its latest state, what counts up in it, and its output line by line. */
export interface Step {
  vertex: WireVertex;
  /** in the order they began */
  statuses: Map<string, WireStatus>;
  changedStatuses: Set<string>;
  warnings: WireWarning[];
  /** lines not printed yet, each with its time in front; the last may be open */
  lines: string[];
  /** the last line has no end yet */
  isPartial: boolean;
  /** the newest lines, for a failure's end */
  tail: string[];
  /** times it ran: by its start, its end */
  intervals: Map<number, number | undefined>;
  /** bytes of output, and messages, since something else was shown */
  count: number;
  since: number;
}

const tailMax = 10;
/** Characters of one line that are kept: output is the build's, and may have no end. */
const lineMax = 1 << 16;

/** Follows a build's events. */
export class Trace {
  readonly steps = new Map<string, Step>();
  /** those that began, in order */
  readonly started: Step[] = [];
  readonly updated = new Set<string>();
  startTime: number | undefined;
  private readonly decoders = new Map<string, TextDecoder>();
  private readonly now: () => number;

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  take(message: LocalBuildMessage): void {
    if (message.kind === "vertex") this.vertex(message.vertex);
    else if (message.kind === "status") this.status(message.status);
    else if (message.kind === "warning") this.warning(message.warning);
    else if (message.kind === "log") this.log(message);
  }

  private vertex(vertex: WireVertex): void {
    const known = this.steps.get(vertex.digest);
    const step = known ?? newStep(vertex);
    this.steps.set(vertex.digest, step);
    const { started, completed } = vertex;
    if (started === undefined || isSame(step, vertex)) return;
    this.startTime ??= started;
    if (step.intervals.size === 0) this.started.push(step);
    step.vertex = vertex;
    step.intervals.set(started, completed);
    this.touch(step);
  }

  private status(status: WireStatus): void {
    const step = this.steps.get(status.vertex);
    if (!step) return;
    step.statuses.set(status.id, status);
    step.changedStatuses.add(status.id);
    this.touch(step);
  }

  /** Belongs to the step that read the Dockerfile. */
  private warning(warning: WireWarning): void {
    const [first] = this.started;
    if (!first) return;
    first.warnings.push(warning);
    this.touch(first);
  }

  private log({ vertex, stream, data, time }: Extract<LocalBuildMessage, { kind: "log" }>): void {
    const step = this.steps.get(vertex);
    if (!step) return;
    const key = `${vertex} ${stream}`;
    const decoder = this.decoders.get(key) ?? new TextDecoder();
    this.decoders.set(key, decoder);
    this.text(step, decoder.decode(Buffer.from(data, "base64"), { stream: true }), time);
    this.touch(step);
  }

  private text(step: Step, text: string, time: number): void {
    const lines = text.split("\n");
    const open = lines.pop() ?? "";
    const pieces = open === "" ? lines : [...lines, open];
    for (const [index, piece] of pieces.entries()) {
      const last = step.lines.at(-1);
      if (index === 0 && step.isPartial && last !== undefined)
        step.lines[step.lines.length - 1] = (last + piece).slice(0, lineMax);
      else step.lines.push(`${clock(time - (lastStart(step) ?? time))} ${piece}`.slice(0, lineMax));
    }
    if (pieces.length > 0) step.isPartial = open !== "";
  }

  private touch(step: Step): void {
    if (step.count === 0) step.since = this.now();
    step.count++;
    this.updated.add(step.vertex.digest);
  }
}

/** Told again without anything new. */
function isSame({ vertex: old, intervals }: Step, vertex: WireVertex): boolean {
  const { started, completed, cached, error } = vertex;
  return (
    started !== undefined &&
    intervals.has(started) &&
    intervals.get(started) === completed &&
    old.cached === cached &&
    old.error === error
  );
}

const newStep = (vertex: WireVertex): Step => ({
  vertex,
  statuses: new Map(),
  changedStatuses: new Set(),
  warnings: [],
  lines: [],
  isPartial: false,
  tail: [],
  intervals: new Map(),
  count: 0,
  since: 0,
});

export function keepTail(step: Step, line: string): void {
  step.tail.push(line);
  if (step.tail.length > tailMax) step.tail.shift();
}

export const isStarted = ({ intervals }: Step): boolean => intervals.size > 0;
export const isCompleted = ({ intervals }: Step): boolean =>
  intervals.size > 0 && [...intervals.values()].every((end) => end !== undefined);

const lastStart = ({ intervals }: Step): number | undefined => [...intervals.keys()].at(-1);
export const lastEnd = ({ intervals }: Step): number =>
  Math.max(0, ...[...intervals.values()].map((end) => end ?? 0));

/** Seconds that it ran, times that overlap counted once. */
export function secondsOf({ intervals }: Step, now: number): number {
  let total = 0;
  let reached = 0;
  for (const [start, end = now] of [...intervals].sort(([one], [other]) => one - other)) {
    total += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return total / 1000;
}

/** `0.123`, `12.34`, `123.4`. */
function clock(ms: number): string {
  const seconds = ms / 1000;
  return seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1);
}

/** `1.50kB`, as BuildKit writes sizes: two digits behind the point, none for bytes. */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${bytes}B` : `${value.toFixed(2)}${units[unit]}`;
}
