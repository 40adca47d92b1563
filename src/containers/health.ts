import { messageOf } from "../lib/errors.ts";
import { formatNs, nowNs } from "../lib/time.ts";
import type { ContainerState, HealthConfig, HealthResult } from "../types/api.ts";
import type { Container } from "./container.ts";
import { type Context, tell } from "./context.ts";
import { runOnce } from "./exec/start.ts";

const keptResults = 5;
const outputMax = 4096;
const secondNs = 1_000_000_000;
const defaults = { interval: 30 * secondNs, timeout: 30 * secondNs, startInterval: 5 * secondNs, retries: 3 };

export type HealthWord = "starting" | "healthy" | "unhealthy";

/** Watches a running container with its health check: a probe, a pause, a probe … until its process ends. */
export class HealthMonitor {
  status: HealthWord = "starting";
  private streak = 0;
  private readonly log: HealthResult[] = [];
  private readonly ctx: Context;
  private readonly container: Container;
  private readonly check: HealthConfig;
  private readonly command: readonly [string, ...string[]];
  private readonly startedNs = nowNs();
  private readonly stopped = new AbortController();
  private cancelTimer: () => void = () => undefined;

  constructor(
    ctx: Context,
    container: Container,
    check: HealthConfig,
    command: readonly [string, ...string[]],
  ) {
    this.ctx = ctx;
    this.container = container;
    this.check = check;
    this.command = command;
  }

  /** As `inspect` tells it. */
  told(): NonNullable<ContainerState["Health"]> {
    return { Status: this.status, FailingStreak: this.streak, Log: [...this.log] };
  }

  /** Probes after the interval, until `stop`. */
  schedule(): void {
    const starting = this.status === "starting" && this.inStartPeriod();
    const ns = starting
      ? this.check.StartInterval || defaults.startInterval
      : this.check.Interval || defaults.interval;
    this.cancelTimer = this.ctx.clock.after(ns / 1e6, () => {
      this.ctx.background.run(`health of ${this.container.name}`, async () => {
        await this.probe();
        if (!this.stopped.signal.aborted) this.schedule();
      });
    });
  }

  stop(): void {
    this.cancelTimer();
    this.stopped.abort();
  }

  private inStartPeriod(): boolean {
    return nowNs() - this.startedNs < BigInt(this.check.StartPeriod ?? 0);
  }

  private async probe(): Promise<void> {
    if (this.stopped.signal.aborted || this.container.life.status !== "running") return;
    const start = formatNs(nowNs());
    const { exitCode, output } = await this.run();
    if (this.stopped.signal.aborted) return;
    this.log.push({ Start: start, End: formatNs(nowNs()), ExitCode: exitCode, Output: output });
    if (this.log.length > keptResults) this.log.shift();
    this.judge(exitCode === 0);
  }

  private async run(): Promise<{ exitCode: number; output: string }> {
    const timeoutMs = (this.check.Timeout || defaults.timeout) / 1e6;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      const signal = AbortSignal.any([late.signal, this.stopped.signal]);
      const result = await runOnce(this.ctx, this.container, this.command, { outputMax, signal });
      if (!late.signal.aborted) return result;
      return { exitCode: -1, output: `Health check exceeded timeout (${durationText(timeoutMs)})` };
    } catch (error) {
      return { exitCode: -1, output: messageOf(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  private judge(passed: boolean): void {
    const before = this.status;
    if (passed) {
      this.streak = 0;
      this.status = "healthy";
    } else if (!(before === "starting" && this.inStartPeriod())) {
      this.streak++;
      if (this.streak >= (this.check.Retries || defaults.retries)) this.status = "unhealthy";
    }
    if (this.status !== before) tell(this.ctx, this.container, `health_status: ${this.status}`);
  }
}

/** Go's text of a duration, to the millisecond. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`;
}

function commandOf(container: Container, check: HealthConfig): readonly [string, ...string[]] | undefined {
  const [kind, ...rest] = check.Test ?? [];
  const [first, ...others] = rest;
  if (kind === "CMD" && first !== undefined) return [first, ...others];
  if (kind !== "CMD-SHELL" || first === undefined) return undefined;
  const [shell = "/bin/sh", ...options] = container.spec.config.Shell ?? ["/bin/sh", "-c"];
  return [shell, ...options, first];
}

/** Begins watching where there is something to watch; the container has just begun to run (or was found running). */
export function startHealth(ctx: Context, container: Container): void {
  const check = container.spec.config.Healthcheck;
  const command = check && commandOf(container, check);
  container.health = undefined;
  if (!check || !command) return;
  const monitor = new HealthMonitor(ctx, container, check, command);
  container.health = monitor;
  monitor.schedule();
}

export function stopHealth(_ctx: Context, container: Container): void {
  container.health?.stop();
}
