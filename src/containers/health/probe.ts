import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { runOnce } from "../exec/start.ts";
import { LogProbe } from "./log-probe.ts";
import { probeHttp, probeTcp } from "./network-probe.ts";
import type { HealthTest } from "./test.ts";

export interface ProbeResult {
  /** 0 = passed */
  exitCode: number;
  output: string;
}

/** One kind of check, of one run of a container. */
export interface Probe {
  run(signal: AbortSignal): Promise<ProbeResult>;
  /** calls back when a probe is worth making now, before its time */
  onChange?(changed: () => void): void;
  close?(): void;
}

/** bytes of output that are kept */
const outputMax = 4096;

export function probeFor(ctx: Context, container: Container, test: HealthTest): Probe {
  switch (test.kind) {
    case "command":
      return {
        // one byte more tells that there was more
        run: (signal) => runOnce(ctx, container, test.command, { outputMax: outputMax + 1, signal }),
      };
    case "tcp":
      return { run: (signal) => probeTcp(ctx, container, test.port, signal) };
    case "http":
      return { run: (signal) => probeHttp(ctx, container, test, signal) };
    case "log":
      return new LogProbe(ctx, container, test.matches);
  }
}

/** Docker's mark of an output that was cut. */
export const shortened = (output: string): string =>
  output.length > outputMax ? `${output.slice(0, outputMax)}...` : output;
