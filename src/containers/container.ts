import { parseNs, zeroTime } from "../lib/time/time.ts";
import type { ContainerState, HealthResult } from "../types/api.ts";
import type { ContainerLife, ContainerSpec, Sender } from "./contract.ts";
import { Waiters } from "./lifecycle/waiters.ts";
import { Lock } from "./lock.ts";

export interface ContainerRow {
  id: string;
  name: string;
  imageId: string;
  spec: ContainerSpec;
  life: ContainerLife;
  createdAtNs: bigint;
}

/** A client that attached before the container ran: told of the process once there is one. */
export interface PendingSession {
  begin(): Promise<void>;
  /** the start failed, or the container is gone */
  end(): void;
}

/** A signal that the engine has sent to a container's process. */
export interface Sent {
  by: Sender;
  signal: number;
  /** by `performance.now()` */
  atMs: number;
}

/** A command in a container that does not run: one at a time, and the container cannot start meanwhile. */
export interface Visit {
  execId: string;
  /** resolves when the command has ended and nothing of it is left */
  over: Promise<void>;
}

export type HealthWord = "starting" | "healthy" | "unhealthy";

/** The health check of the run that is, or was last (`health/monitor.ts`). */
export interface HealthWatch {
  readonly status: HealthWord;
  readonly results: readonly HealthResult[];
  /** as `inspect` tells it */
  told(): NonNullable<ContainerState["Health"]>;
  stop(): void;
}

/** One container in memory: its row, and what belongs to its present life only. */
export class Container implements ContainerRow {
  readonly id: string;
  name: string;
  readonly imageId: string;
  /** both are replaced, never changed in place: what is made of them is known by them (`list/still.ts`) */
  spec: Readonly<ContainerSpec>;
  life: Readonly<ContainerLife>;
  readonly createdAtNs: bigint;
  /** operations that change it run one at a time */
  readonly lock = new Lock();
  readonly waiters = new Waiters();
  readonly pending = new Set<PendingSession>();
  /** ids of its execs that are known */
  readonly execs = new Set<string>();
  /** resolves when the process that runs now has ended */
  ended: Promise<void> = Promise.resolve();
  end: () => void = () => undefined;
  /** when its process began, by the clock that nobody sets; undefined where an engine before this one began it */
  begunMs: number | undefined;
  removing = false;
  /** the start under way is a policy's, not a user's: to others it is still restarting */
  startsAgain = false;
  /** a restart is going to happen: its way out */
  cancelRestart: (() => void) | undefined;
  /** stops under way whose `stop` event is yet to be told: it comes before `die` */
  readonly stopping = new Set<object>();
  /** what the start under way runs in place of its own program, this once */
  commandOnce: readonly string[] | undefined;
  /** a command that runs in it while it does not */
  visit: Visit | undefined;
  /** milliseconds before the next restart */
  backoffMs = 0;
  /** set while a user's restart runs: its exit is not the end of an auto-removed container */
  restartingByUser = false;
  /** when the restart under way, or the last, has ended */
  restarted: Promise<void> = Promise.resolve();

  /** who reads or writes its files now: its root stays mounted for them */
  rootUsers = 0;
  /** its root is to be unmounted soon: the way out of that */
  cancelUnmount: (() => void) | undefined;

  health: HealthWatch | undefined;
  /** it is being ended as unhealthy, to be started again */
  restartsUnhealthy = false;
  /** signals the engine has sent to the process that runs now, and for whom: to tell afterwards why it ended */
  sent: Sent[] = [];

  constructor(row: ContainerRow) {
    this.id = row.id;
    this.name = row.name;
    this.imageId = row.imageId;
    this.spec = row.spec;
    this.life = row.life;
    this.createdAtNs = row.createdAtNs;
  }

  /** A process of it lives: running or paused. */
  get alive(): boolean {
    return this.life.status === "running" || this.life.status === "paused";
  }

  /** Docker counts a container that is about to restart as running. */
  get running(): boolean {
    return this.alive || this.restarting;
  }

  get restarting(): boolean {
    return this.life.status === "restarting" || (this.life.status === "starting" && this.startsAgain);
  }

  get neverStarted(): boolean {
    return this.life.startedAt === zeroTime;
  }

  /** How long its process ran, milliseconds, once that has ended; where this engine did not begin it, by what is recorded. */
  ranMs(exitedAtNs: bigint): number {
    if (this.begunMs !== undefined) return performance.now() - this.begunMs;
    const startedAtNs = parseNs(this.life.startedAt) ?? exitedAtNs;
    return Math.max(0, Number(exitedAtNs - startedAtNs) / 1e6);
  }

  begin(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.end = resolve;
  }
}

export const newLife = (): ContainerLife => ({
  status: "created",
  pid: 0,
  exitCode: 0,
  error: "",
  oomKilled: false,
  startedAt: zeroTime,
  finishedAt: zeroTime,
  restartCount: 0,
  stoppedByUser: false,
});
