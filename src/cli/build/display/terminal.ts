import type { LocalBuildMessage } from "../../../types/local-build.ts";
import type { Display } from "./display.ts";
import { failureLogs } from "./failure-logs.ts";
import { warningText } from "./plain.ts";
import { isCompleted, keepTail, type Step, secondsOf, sizeText, Trace } from "./trace.ts";

const logLinesMax = 6;
const hide = "\x1b[?25l";
const show = "\x1b[?25h";
const blue = "\x1b[34m";
const red = "\x1b[31m";
const yellow = "\x1b[33m";
const faint = "\x1b[2m";
const plain = "\x1b[0m";

interface Row {
  text: string;
  isRunning: boolean;
}

/** On a terminal: all steps as a list that is painted again in place, with timers and the last lines of running ones. */
export class TerminalDisplay implements Display {
  private readonly trace: Trace;
  private readonly write: (text: string) => void;
  private readonly size: () => { rows: number; columns: number };
  private readonly now: () => number;
  private painted = 0;

  constructor(
    write: (text: string) => void,
    size: () => { rows: number; columns: number },
    now: () => number = Date.now,
  ) {
    this.write = write;
    this.size = size;
    this.now = now;
    this.trace = new Trace(now);
  }

  take(message: LocalBuildMessage): void {
    this.trace.take(message);
    if (message.kind === "log") this.keepLines(message.vertex);
  }

  refresh(): void {
    this.paint(false);
  }

  end(): void {
    this.paint(true);
    this.write(failureLogs(this.trace));
  }

  private keepLines(digest: string): void {
    const step = this.trace.steps.get(digest);
    if (!step) return;
    const open = step.isPartial ? step.lines.at(-1) : undefined;
    for (const line of open === undefined ? step.lines : step.lines.slice(0, -1)) keepTail(step, line);
    step.lines = open === undefined ? [] : [open];
  }

  private paint(isEnd: boolean): void {
    if (this.trace.started.length === 0) return;
    const { rows, columns } = this.size();
    const body = this.rows(columns, isEnd);
    const room = Math.max(3, rows - 2);
    const shown = isEnd || body.length <= room ? body : fitting(body, room);
    const up = this.painted > 0 ? `\x1b[${this.painted}F` : "";
    const lines = [this.head(columns, isEnd), ...shown.map(({ text }) => text)];
    this.write(`${hide}${up}${lines.map((line) => `\x1b[2K${line}\n`).join("")}\x1b[J${show}`);
    this.painted = isEnd ? 0 : lines.length;
  }

  private head(columns: number, isEnd: boolean): string {
    const all = [...this.trace.steps.values()];
    const done = all.filter(isCompleted).length;
    const seconds = (this.now() - (this.trace.startTime ?? this.now())) / 1000;
    const finished = isEnd && done > 0 && done === all.length ? " FINISHED" : "";
    return `[+] Building ${seconds.toFixed(1)}s (${done}/${all.length})${finished}`.slice(0, columns);
  }

  private rows(columns: number, isEnd: boolean): Row[] {
    return this.trace.started.flatMap((step) => {
      const isRunning = !isCompleted(step);
      const rows = [{ text: this.stepRow(step, columns), isRunning }, ...this.details(step, columns)];
      if (!isRunning || isEnd) return rows;
      const logs = [...step.tail, ...step.lines].slice(-logLinesMax).map((line) => ({
        text: `${faint} => => # ${printable(line.slice(line.indexOf(" ") + 1)).slice(0, Math.max(10, columns - 12))}${plain}`,
        isRunning,
      }));
      return [...rows, ...logs];
    });
  }

  private stepRow(step: Step, columns: number): string {
    const { name, error, cached, skipped } = step.vertex;
    const canceled = error?.endsWith("context canceled") ?? false;
    const word = canceled
      ? "CANCELED "
      : error !== undefined
        ? "ERROR "
        : skipped
          ? "SKIPPED "
          : cached
            ? "CACHED "
            : "";
    const text = aligned(` => ${word}${name}`, secondsOf(step, this.now()), columns);
    if (!isCompleted(step)) return text;
    return `${canceled ? yellow : error === undefined ? blue : red}${text}${plain}`;
  }

  private details({ statuses, warnings }: Step, columns: number): Row[] {
    const counted = [...statuses.values()].map((status) => {
      const { id, current, total, started, completed } = status;
      const amount =
        total > 0 ? ` ${sizeText(current)} / ${sizeText(total)}` : current > 0 ? ` ${sizeText(current)}` : "";
      const text = aligned(` => => ${id}${amount}`, ((completed ?? this.now()) - started) / 1000, columns);
      const isRunning = completed === undefined;
      return { text: isRunning ? text : `${blue}${text}${plain}`, isRunning };
    });
    const told = warnings.map((warning) => ({
      text: `${yellow}${aligned(` => WARN: ${warningText(warning)}`, 0, columns)}${plain}`,
      isRunning: false,
    }));
    return [...counted, ...told];
  }
}

/** Text to the left, seconds to the right. */
function aligned(text: string, seconds: number, columns: number): string {
  const timer = ` ${(seconds < 0.05 ? 0 : seconds).toFixed(1)}s`;
  const room = Math.max(0, columns - timer.length);
  return printable(text).slice(0, room).padEnd(room) + timer;
}

/** What a step prints must not move the cursor of the list. */
const printable = (text: string): string =>
  text.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, "").replace(/[\x00-\x1f\x7f]/g, " ");

/** Running rows first, then the newest of the others, in their order. */
function fitting(rows: readonly Row[], room: number): Row[] {
  const running = rows.filter(({ isRunning }) => isRunning).slice(-room);
  const free = room - running.length;
  const finished = rows.filter(({ isRunning }) => !isRunning);
  const kept = new Set([...running, ...(free > 0 ? finished.slice(-free) : [])]);
  return rows.filter((row) => kept.has(row));
}
