import { humanSize } from "../../lib/text/units.ts";
import type { JsonMessage } from "../../types/api.ts";
import { windowSize, writeNow } from "../stdio.ts";
import type { WindowSize } from "../surroundings.ts";

/** Terminals narrower than that get no bar, as with docker. */
const barColumnsMin = 111;
const barWidth = 50;

interface Row {
  number: number;
  /** since when its bytes are counted: a status begins anew */
  since: { status: string; at: number; current: number } | undefined;
}

/** A progress stream on a terminal: one line for each id, redrawn in place, with speed and the time that is left. */
export class TerminalDisplay {
  private readonly rows = new Map<string, Row>();
  private readonly fd: 1 | 2;
  private readonly now: () => number;
  private readonly size: () => WindowSize;

  constructor(
    fd: 1 | 2,
    now = () => performance.now(),
    size = () => windowSize(fd) ?? { rows: 24, columns: 80 },
  ) {
    this.fd = fd;
    this.now = now;
    this.size = size;
  }

  show(message: JsonMessage): void {
    writeNow(this.fd, this.drawn(message));
  }

  /** What is written for a message: text and moves of the cursor. */
  drawn(message: JsonMessage): string {
    const { id, stream, status = "" } = message;
    if (!id) {
      this.rows.clear();
      return stream ?? `${status}\n`;
    }
    const known = this.rows.get(id);
    const row: Row = known ?? { number: this.rows.size, since: undefined };
    this.rows.set(id, row);
    const size = this.size();
    const columns = size.columns || 80; // some terminals do not know their size
    const up = this.rows.size - row.number;
    if (known && up >= (size.rows || 24)) return ""; // it has left at the top, where the cursor does not reach it
    const text = this.line(row, message, columns).slice(0, Math.max(20, columns - 1));
    return `${known ? "" : "\n"}\x1b[${up}A\x1b[2K\r${text}\r\x1b[${up}B`;
  }

  private line(row: Row, { id, stream, status = "", progressDetail }: JsonMessage, columns: number): string {
    const { current = 0, total = 0 } = progressDetail ?? {};
    if (stream !== undefined || (current === 0 && total === 0)) {
      row.since = undefined;
      return `${id}: ${(stream ?? status).trimEnd()}`;
    }
    if (row.since?.status !== status || current < row.since.current)
      row.since = { status, at: this.now(), current };
    const shown = amount(current, total, columns >= barColumnsMin);
    return [`${id}: ${status}`, shown, ...this.rate(row.since, current, total)].join(" ");
  }

  /** `12.3MB/s 4s`, once there is something to tell it from. */
  private rate(since: { at: number; current: number }, current: number, total: number): string[] {
    const seconds = (this.now() - since.at) / 1000;
    const bytes = current - since.current;
    if (seconds < 0.5 || bytes <= 0) return [];
    const speed = bytes / seconds;
    const left = total > current ? [timeLeft((total - current) / speed)] : [];
    return [`${humanSize(speed, 3)}/s`, ...left];
  }
}

function amount(current: number, total: number, withBar: boolean): string {
  if (total <= 0) return humanSize(current).padStart(8);
  const sizes = `${humanSize(current).padStart(8)}/${humanSize(total)}`;
  if (!withBar) return sizes;
  const filled = Math.min(barWidth, Math.trunc((current / total) * barWidth));
  const bar = filled < barWidth ? `${"=".repeat(filled)}>`.padEnd(barWidth) : "=".repeat(barWidth);
  return `[${bar}] ${sizes}`;
}

function timeLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.trunc(whole / 60)}m${String(whole % 60).padStart(2, "0")}s`;
  return `${Math.trunc(whole / 3600)}h${String(Math.trunc((whole % 3600) / 60)).padStart(2, "0")}m`;
}
