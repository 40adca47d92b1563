import { existsSync, type FSWatcher, watch } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { nowNs } from "../../lib/time/time.ts";
import type { ExitReport } from "../contract.ts";
import { inBundle, type RuntimePaths } from "../paths.ts";

/** Exit code of a process whose conmon died before it could tell. */
const unknownExitCode = 137;
/**
 * The watch tells within milliseconds; under load it was seen to lose events, so the folder is also read: soon after a
 * container came or went, seldom else, when the monitors are looked at, too.
 */
const intervals = { soonMs: 500, seldomMs: 3000 };
/** how many times the folder is read soon */
const soonTimes = 20;
/** monitors looked at in one go, some 30 µs each, before others get their turn */
export const monitorsAtOnce = 16;

interface Watched {
  id: string;
  bundle: string;
  /** whether conmon is still there to write the exit file */
  monitored: () => boolean;
  /** ends what is left of a container whose conmon is gone */
  kill: () => void;
  /** processes the kernel ended for want of memory */
  oomKills: () => number;
}

/**
 * Tells each exit once. conmon writes `<bundle>/exit`, then a file in the watched folder; the watch fires within
 * milliseconds. Should an event be lost, or conmon be killed, a slow check finds it.
 */
export class ExitWatch {
  private readonly paths: Pick<RuntimePaths, "exits" | "exitFile">;
  private readonly logger: Logger;
  private readonly watched = new Map<string, Watched>();
  private readonly listeners: ((report: ExitReport) => void)[] = [];
  private readonly waiting = new Map<string, (() => void)[]>();
  private readonly watcher: FSWatcher;
  private readonly intervals: typeof intervals;
  /** none while nothing is watched: an idle engine does not wake */
  private timer: Timer | undefined;
  /** how many times the folder is still read soon */
  private soon = 0;
  private monitorsSeenMs = performance.now();
  /** why it was not looked the last time, told once */
  private hindrance = "";

  constructor(paths: Pick<RuntimePaths, "exits" | "exitFile">, logger: Logger, every = intervals) {
    this.paths = paths;
    this.logger = logger;
    this.intervals = every;
    this.watcher = watch(paths.exits, { persistent: false }, (_event, name) => {
      if (name) void this.look(name);
    });
  }

  onExit(listener: (report: ExitReport) => void): void {
    this.listeners.push(listener);
  }

  add(watched: Watched): void {
    this.watched.set(watched.id, watched);
    this.expect();
    void this.look(watched.id); // it may have ended before we began to look
  }

  forget(id: string): void {
    this.watched.delete(id);
    this.expect();
    for (const resolve of this.waiting.get(id) ?? []) resolve();
    this.waiting.delete(id);
  }

  /** Resolves when the exit of `id` is told, or it is forgotten. */
  ended(id: string): Promise<void> {
    if (!this.watched.has(id)) return Promise.resolve();
    return new Promise((resolve) => this.waiting.set(id, [...(this.waiting.get(id) ?? []), resolve]));
  }

  /** Looks whether a container has ended, and tells it. */
  async look(id: string): Promise<void> {
    const watched = this.watched.get(id);
    if (!watched) return;
    try {
      const report = await readExit(id, watched.bundle, watched.oomKills);
      if (report && this.watched.delete(id)) await this.tell(report);
    } catch (error) {
      this.logger.error("cannot read an exit file", { container: id, error: messageOf(error) });
    }
  }

  /** conmon is known to have ended: with no exit file, it was killed, and its container must not stay unwatched. */
  async monitorGone(id: string): Promise<void> {
    await this.look(id);
    const watched = this.watched.get(id);
    if (!watched || watched.monitored() || !this.watched.delete(id)) return;
    this.logger.warn("conmon ended without telling an exit code", { container: id });
    watched.kill();
    await this.tell({
      id,
      exitCode: unknownExitCode,
      exitedAtNs: nowNs(),
      ...memoryFacts(watched.bundle, watched.oomKills),
      lost: true,
    });
  }

  private async tell(report: ExitReport): Promise<void> {
    for (const listener of this.listeners) listener(report);
    this.forget(report.id);
    await rm(this.paths.exitFile(report.id), { force: true });
  }

  /** Something is going on: the folder is read soon, for some time. */
  private expect(): void {
    const slow = this.soon === 0;
    this.soon = soonTimes;
    if (slow) this.plan();
  }

  private plan(): void {
    const { soonMs, seldomMs } = this.intervals;
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.watched.size === 0) this.soon = 0;
    else this.timer = setTimeout(() => void this.check(), this.soon > 0 ? soonMs : seldomMs).unref();
  }

  private async check(): Promise<void> {
    this.soon = Math.max(0, this.soon - 1);
    try {
      for (const name of await readdir(this.paths.exits)) await this.look(name);
      if (performance.now() - this.monitorsSeenMs >= this.intervals.seldomMs) await this.lookAtMonitors();
      this.hindrance = "";
    } catch (error) {
      const hindrance = messageOf(error);
      if (hindrance !== this.hindrance) this.logger.error("cannot check for exits", { error: hindrance });
      this.hindrance = hindrance;
    }
    this.plan();
  }

  private async lookAtMonitors(): Promise<void> {
    this.monitorsSeenMs = performance.now();
    let asked = 0;
    for (const [id, watched] of this.watched) {
      if (++asked % monitorsAtOnce === 0) await nextTurn();
      if (!watched.monitored()) await this.monitorGone(id);
    }
  }

  close(): void {
    this.watcher.close();
    for (const id of [...this.watched.keys()]) this.forget(id);
    this.plan();
  }
}

function memoryFacts(bundle: string, oomKills: () => number): Pick<ExitReport, "oomKilled" | "oomKills"> {
  const count = oomKills();
  const oomKilled = existsSync(inBundle.oom(bundle)) || count > 0;
  return { oomKilled, ...(count > 0 ? { oomKills: count } : {}) };
}

/** What conmon left in a bundle; undefined while the process runs. */
export async function readExit(
  id: string,
  bundle: string,
  oomKills: () => number,
): Promise<ExitReport | undefined> {
  const file = inBundle.exit(bundle);
  try {
    const [text, { mtimeNs }] = await Promise.all([readFile(file, "latin1"), stat(file, { bigint: true })]);
    // conmon tells -1 when it does not know
    const code = Number(text.trim());
    return {
      id,
      exitCode: code >= 0 && code <= 255 ? code : unknownExitCode,
      exitedAtNs: mtimeNs,
      ...memoryFacts(bundle, oomKills),
    };
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}
