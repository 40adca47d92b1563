import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { runOnce } from "../exec/start.ts";
import { LogProbe } from "./log-probe.ts";
import { probeHttp, probeTcp } from "./network-probe.ts";
import { outputMax, type Probe } from "./probe-result.ts";
import type { HealthTest } from "./test.ts";

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
