import { rename, rm, stat } from "node:fs/promises";
import { messageOf } from "../../lib/errors.ts";
import { reopenLog } from "../conmon/control.ts";
import type { RuntimeContext } from "../context.ts";
import type { LogPolicy } from "../contract.ts";
import { openLogs, rotatedNumbers, rotatedPath } from "./files.ts";

/** how long after its first line a log is looked at, and how long at most and at least passes between two looks */
const firstMs = 1000;
const latestMs = 5000;
const soonestMs = 200;

interface Kept {
  logPath: string;
  policy: LogPolicy;
  /** bytes at the last look, and when that was (`performance.now`) */
  size: number;
  seenMs: number;
  /** bytes a millisecond; halved at each look that found it slower, for what comes in bursts comes again */
  perMs: number;
  /** what hinders its rotation, told once */
  hindrance?: string | undefined;
}

/**
 * Keeps the logs of running containers within their policies: one timer looks at their sizes, about when the fastest
 * would be full. The live file is renamed and conmon told to open a new one: it writes into the renamed file until it
 * has, so nothing is lost. (conmon's own `--log-size-max` cuts the file and loses what is in it.)
 */
export class LogRotation {
  private readonly context: RuntimeContext;
  private readonly readBy: (id: string) => bigint | undefined;
  private readonly logs = new Map<string, Kept>();
  private timer: Timer | undefined;
  /** when the timer fires; past while a look is under way, which plans the next one itself */
  private dueMs = 0;

  /** `readBy`: inode of the file that a container's log driver is at */
  constructor(context: RuntimeContext, readBy: (id: string) => bigint | undefined) {
    this.context = context;
    this.readBy = readBy;
  }

  keep(id: string, logPath: string, policy: LogPolicy): void {
    if (policy.maxSize === undefined) return;
    this.logs.set(id, { logPath, policy, size: 0, seenMs: performance.now(), perMs: 0 });
    this.lookWithin(firstMs);
  }

  stop(id: string): void {
    this.logs.delete(id);
  }

  close(): void {
    this.logs.clear();
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** A look that is due sooner stays: containers that start every moment must not put it off. */
  private lookWithin(ms: number): void {
    const dueMs = performance.now() + ms;
    if (this.timer !== undefined && this.dueMs <= dueMs) return;
    clearTimeout(this.timer);
    this.dueMs = dueMs;
    this.timer = setTimeout(() => void this.look(), ms).unref();
  }

  private async look(): Promise<void> {
    let nextMs = latestMs;
    for (const [id, kept] of this.logs) {
      try {
        nextMs = Math.min(nextMs, await this.checkOne(id, kept));
        kept.hindrance = undefined;
      } catch (error) {
        const hindrance = messageOf(error);
        if (kept.hindrance !== hindrance)
          this.context.logger.warn("cannot rotate a log", { container: id, error: hindrance });
        kept.hindrance = hindrance;
      }
    }
    this.timer = undefined;
    if (this.logs.size > 0) this.lookWithin(Math.max(soonestMs, nextMs));
  }

  /** Rotates when due; gives after how many milliseconds the log will be full if it grows as it did of late. */
  private async checkOne(id: string, kept: Kept): Promise<number> {
    const { logPath, policy } = kept;
    const { maxSize = Number.POSITIVE_INFINITY, maxFiles } = policy;
    const size = await sizeOf(logPath);
    const perMs = growth(kept, size);
    if (size < maxSize) return (maxSize - size) / perMs;
    const running = this.context.containers.find(id);
    if (!running || !this.logs.has(id)) return latestMs;
    const reader = this.readBy(id);
    if (reader !== undefined && (await dropsUnread(logPath, maxFiles, reader)))
      this.context.logger.warn("log lines were dropped before the log driver could hand them on", {
        container: id,
      });
    await shiftLogs(logPath, maxFiles);
    reopenLog(running.bundle);
    kept.size = 0;
    return maxSize / perMs;
  }
}

/** Bytes a millisecond, of late; this is the last look from here on. */
export function growth(
  kept: Pick<Kept, "size" | "seenMs" | "perMs">,
  size: number,
  nowMs = performance.now(),
): number {
  const since = Math.max(0, size - kept.size) / Math.max(1, nowMs - kept.seenMs);
  kept.size = size;
  kept.seenMs = nowMs;
  kept.perMs = Math.max(since, kept.perMs / 2);
  return kept.perMs;
}

/** Whether rotation takes a file away that comes after the one that is read: an open file can still be read. */
async function dropsUnread(logPath: string, maxFiles: number, reader: bigint): Promise<boolean> {
  const numbers = await rotatedNumbers(logPath);
  if (maxFiles > 1 && !numbers.some((number) => number >= maxFiles - 1)) return false;
  const files = await openLogs(logPath);
  await Promise.all(files.map(({ handle }) => handle.close()));
  return !files.some(({ inode }) => inode === reader);
}

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
