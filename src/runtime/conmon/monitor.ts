import { closeSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import { type SpawnedProcess, spawnProcess } from "../../system/process/process.ts";
import { type AdoptedSocket, adoptSocket, socketPair } from "../../system/sockets/sockets.ts";
import type { Enter } from "../launch/launcher.ts";
import { runtimeEnvironment } from "../oci-runtime/oci-runtime.ts";
import { SyncLines, type SyncMessage } from "./sync-message.ts";

/** One running conmon and the pipes between it and the engine, until the engine lets go of them. */
export class Monitor {
  readonly process: SpawnedProcess;
  private readonly lines = new SyncLines();
  private readonly messages: SyncMessage[] = [];
  private readonly waiting: ((message: SyncMessage | undefined) => void)[] = [];
  private ended = false;
  private sync: AdoptedSocket | undefined;
  private starter: AdoptedSocket | undefined;
  private ready: ((value: unknown) => void) | undefined;
  /** resolves when the attach socket of an exec is there, or conmon has ended */
  readonly attachable: Promise<unknown>;

  private constructor(process: SpawnedProcess) {
    this.process = process;
    this.attachable = new Promise((resolve) => {
      this.ready = resolve;
    });
  }

  /**
   * Spawns conmon. With `hold`, it waits before it runs the process until `release` (for an exec: so that one can
   * attach first); `enter` decides on which mounts. Descriptors of the child: 2 and 3 sync, 4 attach notice, 5 start.
   */
  static async spawn(
    argv: readonly string[],
    { cwd, hold, enter }: { cwd: string; hold: boolean; enter: Enter },
  ): Promise<Monitor> {
    const pairs = [socketPair(), ...(hold ? [socketPair(), socketPair()] : [])];
    const [sync, notice, start] = pairs;
    if (!sync) throw new EngineError("internal", "no sync pipe");
    const theirs = pairs.map((pair) => pair.theirs);
    const env = {
      ...runtimeEnvironment(),
      // conmon stamps its log in local time; in UTC the log can be served as it stands
      TZ: "UTC0",
      _OCI_SYNCPIPE: "3",
      ...(hold ? { _OCI_ATTACHPIPE: "4", _OCI_STARTPIPE: "5" } : {}),
    };
    let spawned: SpawnedProcess;
    try {
      spawned = enter(() =>
        spawnProcess({ argv, env, cwd, fds: ["ignore", "ignore", sync.theirs, ...theirs] }),
      );
    } catch (error) {
      for (const pair of pairs) closeSync(pair.ours);
      throw error;
    } finally {
      for (const fd of theirs) closeSync(fd);
    }
    const monitor = new Monitor(spawned);
    await monitor.listen(sync.ours, notice?.ours, start?.ours);
    return monitor;
  }

  private async listen(sync: number, notice: number | undefined, start: number | undefined): Promise<void> {
    this.sync = await adoptSocket(sync, { data: (bytes) => this.take(bytes), end: () => this.finish() });
    if (notice === undefined || start === undefined) return;
    const ready = (): void => this.ready?.(undefined);
    await adoptSocket(notice, { data: ready, end: ready });
    this.starter = await adoptSocket(start, { data: () => undefined, end: () => undefined });
    this.starter.write("\0"); // lets conmon begin; `release` lets it run the process
  }

  private take(bytes: Uint8Array): void {
    for (const message of this.lines.push(bytes)) {
      const waiter = this.waiting.shift();
      if (waiter) waiter(message);
      else this.messages.push(message);
    }
  }

  private finish(): void {
    this.ended = true;
    this.lines.end();
    for (const waiter of this.waiting.splice(0)) waiter(undefined);
    this.ready?.(undefined);
  }

  /** Lets a held process run. */
  release(): void {
    this.starter?.write("\0");
    this.starter?.end();
  }

  /** The next message; undefined when conmon has said its last. */
  next(): Promise<SyncMessage | undefined> {
    const message = this.messages.shift();
    if (message || this.ended) return Promise.resolve(message);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** What conmon complained of before it could say anything. */
  get complaint(): string {
    return this.lines.complaint.trim();
  }

  /** Closes the pipes; conmon goes on by itself. */
  letGo(): void {
    this.sync?.end();
    this.starter?.end();
  }
}
