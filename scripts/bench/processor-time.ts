import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";

/**
 * Processor time of an engine and of all that it starts (the runtime and conmon; a container's own processes are in groups
 * of theirs), from a control group of either version. Unlike the time that passes, it hardly depends on what else the
 * machine does.
 */
export class ProcessorTime {
  private readonly folder: string;
  private readonly v1: boolean;

  constructor(name: string) {
    this.v1 = existsSync("/sys/fs/cgroup/cpuacct");
    this.folder = `/sys/fs/cgroup/${this.v1 ? "cpuacct/" : ""}${name}`;
    mkdirSync(this.folder);
  }

  /** From here on the process counts, with all that it starts. */
  follow(pid: number): void {
    writeFileSync(`${this.folder}/cgroup.procs`, String(pid));
  }

  /** milliseconds used so far */
  get ms(): number {
    if (this.v1) return Number(readFileSync(`${this.folder}/cpuacct.usage`, "latin1")) / 1e6;
    return Number(/usage_usec (\d+)/.exec(readFileSync(`${this.folder}/cpu.stat`, "latin1"))?.[1]) / 1e3;
  }

  /** Once all of them have ended. */
  close(): void {
    rmdirSync(this.folder);
  }
}
