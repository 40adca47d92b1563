import { messageOf } from "../../lib/errors.ts";
import { formatGoDuration } from "../../lib/go/duration.ts";
import { formatNs, nowNs, parseNs } from "../../lib/time/time.ts";
import type { ContainerState, HealthConfig, HealthResult } from "../../types/api.ts";
import { longestTimerMs } from "../clock.ts";
import type { Container, HealthWatch, HealthWord } from "../container.ts";
import { type Context, tell } from "../context.ts";
import { type Probe, type ProbeResult, shortened } from "./probe-result.ts";

const keptResults = 5;
const secondNs = 1_000_000_000;
/** how long a probe that was told to end may take to: children of it may hold its output open */
const graceMs = 1000;

/** Docker's, for checks that run a command. */
const commandTimes = {
  first: undefined,
  interval: 30 * secondNs,
  timeout: 30 * secondNs,
  startPeriod: 0,
  startInterval: 5 * secondNs,
};
/** The engine's own probes cost no process: they begin at once and look often until the first success. */
const engineTimes = {
  first: secondNs / 10,
  interval: 30 * secondNs,
  timeout: 30 * secondNs,
  startPeriod: 30 * secondNs,
  startInterval: secondNs,
};
const defaultRetries = 3;

interface MonitorOptions {
  check: HealthConfig;
  probe: Probe;
  /** a probe of the engine's own, not a command */
  byEngine: boolean;
  /** results of earlier runs, which `inspect` goes on to tell */
  earlier: readonly HealthResult[];
  /** called when it becomes healthy, and when it becomes unhealthy */
  changed: (status: HealthWord) => void;
}

/** Watches a running container with its health check: a probe, a pause, a probe … until its process ends. */
export class HealthMonitor implements HealthWatch {
  status: HealthWord = "starting";
  private streak = 0;
  private readonly log: HealthResult[];
  private readonly ctx: Context;
  private readonly container: Container;
  private readonly options: MonitorOptions;
  /** by the clock that nobody sets; negative where it ran before this engine */
  private readonly startedMs: number;
  private readonly stopped = new AbortController();
  private cancelTimer: () => void = () => undefined;
  private probing = false;

  constructor(ctx: Context, container: Container, options: MonitorOptions) {
    this.ctx = ctx;
    this.container = container;
    this.options = options;
    this.log = [...options.earlier];
    const now = nowNs();
    const ranNs = now - (parseNs(container.life.startedAt) ?? now);
    this.startedMs = performance.now() - Math.max(0, Number(ranNs) / 1e6);
    options.probe.onChange?.(() => this.probeNow());
  }

  get results(): readonly HealthResult[] {
    return this.log;
  }

  /** As `inspect` tells it. */
  told(): NonNullable<ContainerState["Health"]> {
    return { Status: this.status, FailingStreak: this.streak, Log: [...this.log] };
  }

  start(): void {
    this.plan(this.times.first ?? this.pauseNs());
  }

  /** What is no longer watched is not known to be healthy: Docker calls it unhealthy, without an event. */
  stop(): void {
    if (this.stopped.signal.aborted) return;
    this.cancelTimer();
    this.stopped.abort();
    this.options.probe.close?.();
    this.status = "unhealthy";
  }

  private get times() {
    return this.options.byEngine ? engineTimes : commandTimes;
  }

  private plan(ns: number): void {
    this.cancelTimer = this.ctx.clock.after(ns / 1e6, () => this.probeNow());
  }

  private probeNow(): void {
    if (this.probing || this.stopped.signal.aborted) return;
    this.cancelTimer();
    this.probing = true;
    this.ctx.background.run(`health of ${this.container.name}`, async () => {
      try {
        await this.probe();
      } finally {
        this.probing = false;
        if (!this.stopped.signal.aborted) this.plan(this.pauseNs());
      }
    });
  }

  private pauseNs(): number {
    const { check } = this.options;
    const interval = check.Interval || this.times.interval;
    if (this.status !== "starting" || !this.inStartPeriod()) return interval;
    const often = check.StartInterval || this.times.startInterval;
    return this.options.byEngine && !check.StartInterval ? Math.min(often, interval) : often;
  }

  private inStartPeriod(atMs = performance.now()): boolean {
    const periodNs = this.options.check.StartPeriod || this.times.startPeriod;
    return atMs - this.startedMs < periodNs / 1e6;
  }

  private async probe(): Promise<void> {
    if (this.container.life.status !== "running") return;
    const startNs = nowNs();
    const startMs = performance.now();
    const { exitCode, output } = await this.run();
    if (this.stopped.signal.aborted) return;
    this.log.push({
      Start: formatNs(startNs),
      End: formatNs(nowNs()),
      ExitCode: exitCode,
      Output: shortened(output),
    });
    if (this.log.length > keptResults) this.log.shift();
    this.judge(exitCode === 0, startMs);
  }

  private async run(): Promise<ProbeResult> {
    const timeoutNs = this.options.check.Timeout || this.times.timeout;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), Math.min(timeoutNs / 1e6, longestTimerMs));
    const given = Promise.withResolvers<ProbeResult>();
    const sentence = `Health check exceeded timeout (${formatGoDuration(timeoutNs)})`;
    const tooLate = { exitCode: -1, output: sentence };
    let giveUp: Timer | undefined;
    const signal = AbortSignal.any([late.signal, this.stopped.signal]);
    signal.addEventListener("abort", () => {
      giveUp = setTimeout(() => given.resolve(tooLate), graceMs);
    });
    try {
      const result = await Promise.race([this.options.probe.run(signal), given.promise]);
      if (!late.signal.aborted) return result;
      const said = this.options.byEngine || result === tooLate ? "" : result.output;
      return said === "" ? tooLate : { exitCode: -1, output: `${sentence}: ${said}` };
    } catch (error) {
      return late.signal.aborted ? tooLate : { exitCode: -1, output: messageOf(error) };
    } finally {
      clearTimeout(timer);
      clearTimeout(giveUp);
    }
  }

  private judge(passed: boolean, startMs: number): void {
    const before = this.status;
    if (passed) {
      this.streak = 0;
      this.status = "healthy";
    } else if (!(before === "starting" && this.inStartPeriod(startMs))) {
      this.streak++;
      if (this.streak >= (this.options.check.Retries || defaultRetries)) this.status = "unhealthy";
    }
    if (this.status === before) return;
    tell(this.ctx, this.container, `health_status: ${this.status}`);
    this.options.changed(this.status);
  }
}
