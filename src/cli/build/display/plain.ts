import type { LocalBuildMessage, WireStatus } from "../../../types/local-build.ts";
import type { Display } from "./display.ts";
import { failureLogs } from "./failure-logs.ts";
import { isCompleted, isStarted, keepTail, lastEnd, type Step, secondsOf, sizeText, Trace } from "./trace.ts";

/** How long one step stays the one that is shown while others wait, and how much must change to be told, ms. */
const shownMs = 5000;
const hiddenMaxMs = 10_000;
const statusMs = 5000;
const statusShare = 0.05;

/** Lines for files and pipes: `#5 [build 2/4] RUN make`, `#5 0.213 output`, `#5 DONE 3.1s`. */
export class PlainDisplay implements Display {
  private readonly trace: Trace;
  private readonly write: (text: string) => void;
  private readonly now: () => number;
  private readonly numbers = new Map<string, number>();
  private readonly told = new Map<string, { current: number; time: number }>();
  private readonly toldWarnings = new Map<string, number>();
  private readonly offsets = new Map<string, number>();
  private current = "";
  private isFirst = true;

  constructor(write: (text: string) => void, now: () => number = Date.now) {
    this.write = write;
    this.now = now;
    this.trace = new Trace(now);
  }

  take(message: LocalBuildMessage): void {
    this.trace.take(message);
  }

  refresh(): void {
    const touched = [...this.trace.updated].flatMap((digest) => this.trace.steps.get(digest) ?? []);
    const completed = touched.filter(isCompleted).sort((one, other) => lastEnd(one) - lastEnd(other));
    const [current, others] = parted(completed, ({ vertex }) => vertex.digest === this.current);
    for (const step of [...current, ...others]) this.show(step);
    const rest = touched.filter((step) => isStarted(step) && !isCompleted(step));
    if (rest.length === 0) this.keepOneOpen();
    else this.showRest(rest);
  }

  end(): void {
    this.refresh();
    this.write(failureLogs(this.trace));
  }

  /** With nothing new, some step that runs is the one that is shown. */
  private keepOneOpen(): void {
    const current = this.trace.steps.get(this.current);
    if (current && isStarted(current) && !isCompleted(current)) return;
    const open = this.trace.started.find((step) => !isCompleted(step));
    if (open) this.show(open);
  }

  /** The shown step keeps its place until others had to wait too long. */
  private showRest(rest: readonly Step[]): void {
    const current = rest.find(({ vertex }) => vertex.digest === this.current);
    if (current) this.show(current);
    const others = rest.filter((step) => step !== current);
    const shown = this.trace.steps.get(this.current);
    const speed = (step: Step) => step.count / Math.max(1, this.now() - step.since);
    const fastest = others.toSorted((one, other) => speed(other) - speed(one))[0];
    if (!fastest) return;
    if (!shown) {
      this.show(fastest);
      return;
    }
    const hidden = others.find((step) => this.now() - step.since > hiddenMaxMs);
    if (hidden) this.show(hidden);
    else if (this.now() - shown.since > shownMs * (1 + speed(shown) / Math.max(speed(fastest), 1e-9)))
      this.show(fastest);
  }

  private show(step: Step): void {
    const { vertex } = step;
    const prefix = `#${this.numberOf(vertex.digest)}`;
    if (vertex.digest !== this.current) this.switchTo(step, prefix);
    const hasOpenStatus = this.showStatuses(step, prefix);
    this.showWarnings(step, prefix);
    this.showLines(step, prefix);
    this.current = vertex.digest;
    if (isCompleted(step) && !hasOpenStatus) this.showEnd(step, prefix);
    this.trace.updated.delete(vertex.digest);
  }

  private numberOf(digest: string): number {
    const number = this.numbers.get(digest) ?? this.numbers.size + 1;
    this.numbers.set(digest, number);
    return number;
  }

  private switchTo({ vertex }: Step, prefix: string): void {
    const before = this.trace.steps.get(this.current);
    if (before) {
      if (before.isPartial) this.write("\n");
      this.offsets.delete(this.current);
      before.count = 0;
      this.write(`#${this.numberOf(this.current)} ...\n`);
    }
    if (!this.isFirst) this.write("\n");
    this.isFirst = false;
    this.write(`${prefix} ${vertex.name}\n`);
  }

  private showStatuses(step: Step, prefix: string): boolean {
    let isOpen = false;
    for (const [id, status] of step.statuses) {
      if (!step.changedStatuses.has(id) || !this.isWorthTelling(status)) continue;
      this.told.set(id, { current: status.current, time: this.now() });
      const end = status.completed ?? this.now();
      const seconds = (end - status.started) / 1000;
      const time = seconds > 0.01 ? ` ${seconds.toFixed(1)}s` : "";
      isOpen ||= status.completed === undefined;
      this.write(`${prefix} ${id}${amount(status)}${time}${status.completed === undefined ? "" : " done"}\n`);
    }
    step.changedStatuses.clear();
    return isOpen;
  }

  private isWorthTelling({ id, current, total, completed }: WireStatus): boolean {
    const last = this.told.get(id);
    if (!last || completed !== undefined) return true;
    const share = total > 0 ? (current - last.current) / total : 0;
    return share >= statusShare || this.now() - last.time >= statusMs;
  }

  private showWarnings({ vertex, warnings }: Step, prefix: string): void {
    const from = this.toldWarnings.get(vertex.digest) ?? 0;
    for (const warning of warnings.slice(from)) this.write(`${prefix} WARN: ${warningText(warning)}\n`);
    this.toldWarnings.set(vertex.digest, warnings.length);
  }

  private showLines(step: Step, prefix: string): void {
    const { digest } = step.vertex;
    const offset = this.offsets.get(digest) ?? 0;
    for (const [index, line] of step.lines.entries()) {
      const isOpen = index === step.lines.length - 1 && step.isPartial;
      this.write(index === 0 && offset > 0 ? line.slice(offset) : `${prefix} ${line}`);
      if (isOpen) continue;
      this.write("\n");
      keepTail(step, line);
    }
    const open = step.isPartial ? step.lines.at(-1) : undefined;
    step.lines = open === undefined ? [] : [open];
    this.offsets.set(digest, open?.length ?? 0);
  }

  private showEnd(step: Step, prefix: string): void {
    const { vertex } = step;
    this.current = "";
    step.count = 0;
    if (step.isPartial) {
      this.write("\n");
      keepTail(step, step.lines.at(-1) ?? "");
      step.lines = [];
      step.isPartial = false;
      this.offsets.delete(vertex.digest);
    }
    this.write(`${prefix} ${ending(step, this.now())}\n`);
  }
}

function parted<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

function ending(step: Step, now: number): string {
  const { error, cached, skipped } = step.vertex;
  if (error?.endsWith("context canceled")) return "CANCELED";
  if (error !== undefined) return `ERROR: ${error}`;
  if (skipped) return "SKIPPED";
  return cached ? "CACHED" : `DONE ${secondsOf(step, now).toFixed(1)}s`;
}

/** ` 1.00kB / 2.00kB` */
function amount({ current, total }: WireStatus): string {
  if (total > 0) return ` ${sizeText(current)} / ${sizeText(total)}`;
  return current > 0 ? ` ${sizeText(current)}` : "";
}

export const warningText = ({
  rule,
  short,
  lines,
}: {
  rule: string;
  short: string;
  lines: { start: number }[];
}) => `${rule}: ${short}${lines[0] ? ` (line ${lines[0].start})` : ""}`;
