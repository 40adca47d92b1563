import { rename, rm, stat } from "node:fs/promises";
import { messageOf } from "../../lib/errors.ts";
import { reopenLog } from "../conmon/control.ts";
import type { RuntimeContext } from "../context.ts";
import type { LogPolicy } from "../contract.ts";
import { openLogs, rotatedNumbers, rotatedPath } from "./files.ts";

const quickestMs = 1000;
const slowestMs = 30_000;

interface Kept {
  logPath: string;
  policy: LogPolicy;
}

/**
 * Keeps the logs of running containers within their policies: one timer looks at their sizes, soon again where a log
 * grows fast, seldom where none does. The live file is renamed and conmon told to open a new one: it writes into the
 * renamed file until it has, so nothing is lost. (conmon's own `--log-size-max` cuts the file and loses what is in it.)
 */
export class LogRotation {
  private readonly context: RuntimeContext;
  private readonly readBy: (id: string) => bigint | undefined;
  private readonly logs = new Map<string, Kept>();
  private timer: Timer | undefined;
  private periodMs = quickestMs;

  /** `readBy`: inode of the file that a container's log driver is at */
  constructor(context: RuntimeContext, readBy: (id: string) => bigint | undefined) {
    this.context = context;
    this.readBy = readBy;
  }

  keep(id: string, logPath: string, policy: LogPolicy): void {
    if (policy.maxSize === undefined) return;
    this.logs.set(id, { logPath, policy });
    this.plan(quickestMs);
  }

  stop(id: string): void {
    this.logs.delete(id);
    if (this.logs.size === 0) this.close();
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private plan(periodMs: number): void {
    this.close();
    this.periodMs = periodMs;
    this.timer = setTimeout(() => void this.check(), periodMs);
    this.timer.unref();
  }

  private async check(): Promise<void> {
    let fullest = 0;
    for (const [id, kept] of [...this.logs]) {
      try {
        fullest = Math.max(fullest, await this.checkOne(id, kept));
      } catch (error) {
        this.context.logger.warn("cannot rotate a log", { container: id, error: messageOf(error) });
      }
    }
    if (this.logs.size > 0) this.plan(nextPeriodMs(fullest, this.periodMs));
  }

  /** Rotates when due; gives how full the log is, 0 to 1. */
  private async checkOne(id: string, { logPath, policy }: Kept): Promise<number> {
    const { maxSize = Number.POSITIVE_INFINITY, maxFiles } = policy;
    const size = await sizeOf(logPath);
    if (size < maxSize) return size / maxSize;
    const running = this.context.containers.find(id);
    if (!running || !this.logs.has(id)) return 0;
    const reader = this.readBy(id);
    if (reader !== undefined && (await dropsUnread(logPath, maxFiles, reader)))
      this.context.logger.warn("log lines were dropped before the log driver could hand them on", {
        container: id,
      });
    await shiftLogs(logPath, maxFiles);
    reopenLog(running.bundle);
    return 1;
  }
}

/** Whether rotation takes a file away that comes after the one that is read: an open file can still be read. */
async function dropsUnread(logPath: string, maxFiles: number, reader: bigint): Promise<boolean> {
  const numbers = await rotatedNumbers(logPath);
  if (maxFiles > 1 && !numbers.some((number) => number >= maxFiles - 1)) return false;
  const files = await openLogs(logPath);
  await Promise.all(files.map(({ handle }) => handle.close()));
  return !files.some(({ inode }) => inode === reader);
}

/** Half as long where a log is over half full, else twice as long. */
export const nextPeriodMs = (fullest: number, periodMs: number): number =>
  Math.min(slowestMs, Math.max(quickestMs, fullest > 0.5 ? periodMs / 2 : periodMs * 2));

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return 0;
    throw error;
  }
}

/** `x` → `x.1` → `x.2` …, so that with the live file `maxFiles` are left. */
export async function shiftLogs(logPath: string, maxFiles: number): Promise<void> {
  const numbers = await rotatedNumbers(logPath);
  for (const number of numbers.toReversed()) {
    const path = rotatedPath(logPath, number);
    if (number >= maxFiles - 1) await rm(path, { force: true });
    else await rename(path, rotatedPath(logPath, number + 1));
  }
  // with one file only, the old lines go when conmon has opened the new one: until then it writes into this file
  await rename(logPath, rotatedPath(logPath, 1));
  if (maxFiles <= 1) await rm(rotatedPath(logPath, 1), { force: true });
}
