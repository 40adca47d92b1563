import { uptime } from "node:os";

/** more than clocks drift, and than a daylight-saving blunder */
const toleranceMs = 2 * 3600_000;

/** Whether somebody set the wall clock: ages reckoned by it are wrong then. A machine that slept has set nothing. */
export class ClockWatch {
  private readonly wallMs: () => number;
  private readonly bootMs: () => number;
  private apartMs: number;

  constructor(wallMs = Date.now, bootMs = () => uptime() * 1000) {
    this.wallMs = wallMs;
    this.bootMs = bootMs;
    this.apartMs = wallMs() - bootMs();
  }

  /** Since it was last asked, or made. */
  wasSet(): boolean {
    const apartMs = this.wallMs() - this.bootMs();
    const set = Math.abs(apartMs - this.apartMs) > toleranceMs;
    this.apartMs = apartMs;
    return set;
  }
}
