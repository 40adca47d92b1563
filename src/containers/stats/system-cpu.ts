/** The whole host's CPU time, against which a container's is told. */
export interface SystemCpu {
  /** nanoseconds of all CPUs, idle ones too */
  usage: bigint;
  online: number;
}

const tickNs = 10_000_000n;
/** user, nice, system, idle, iowait, irq, softirq: what comes after is part of these, or another machine's */
const columns = 7;

/** From `/proc/stat` (proc_stat(5)). */
export function readSystemCpu(text: string): SystemCpu {
  const [, all = ""] = /^cpu +([\d ]+)$/m.exec(text) ?? [];
  const ticks = all.split(" ").slice(0, columns).map(BigInt);
  return {
    usage: ticks.reduce((sum, one) => sum + one, 0n) * tickNs,
    online: text.match(/^cpu\d/gm)?.length ?? 0,
  };
}
