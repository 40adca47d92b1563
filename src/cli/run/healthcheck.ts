import type { HealthConfig } from "../../types/api.ts";
import type { ContainerFlags } from "./flags.ts";

/** What `--health-*` ask for; undefined where they ask for nothing, so that the image's check holds. */
export function healthcheck(flags: ContainerFlags): HealthConfig | undefined {
  const { healthInterval, healthTimeout, healthStartPeriod, healthStartInterval, healthRetries } = flags;
  const test = healthTest(flags);
  const any =
    test || healthInterval || healthTimeout || healthStartPeriod || healthStartInterval || healthRetries;
  if (flags.noHealthcheck) {
    if (any) throw new Error("--no-healthcheck conflicts with --health-* options");
    return { Test: ["NONE"] };
  }
  if (!any) return undefined;
  const negative = (name: string): Error => new Error(`--health-${name} cannot be negative`);
  if (healthInterval < 0) throw negative("interval");
  if (healthTimeout < 0) throw negative("timeout");
  if (healthRetries < 0) throw negative("retries");
  if (healthStartPeriod < 0) throw new Error("--health-start-period cannot be negative");
  if (healthStartInterval < 0) throw negative("start-interval");
  return {
    ...(test ? { Test: test } : {}),
    ...(healthInterval ? { Interval: healthInterval } : {}),
    ...(healthTimeout ? { Timeout: healthTimeout } : {}),
    ...(healthStartPeriod ? { StartPeriod: healthStartPeriod } : {}),
    ...(healthStartInterval ? { StartInterval: healthStartInterval } : {}),
    ...(healthRetries ? { Retries: healthRetries } : {}),
  };
}

/** The kind of check is said once. */
function healthTest({ healthCmd, healthTcp, healthHttp, healthLog }: ContainerFlags): string[] | undefined {
  const tests = [
    ...(healthCmd ? [["CMD-SHELL", healthCmd]] : []),
    ...(healthTcp ? [["TCP", healthTcp]] : []),
    ...(healthHttp ? [["HTTP", healthHttp]] : []),
    ...(healthLog ? [["LOG", healthLog]] : []),
  ];
  if (tests.length > 1)
    throw new Error(
      "conflicting options: only one of --health-cmd, --health-tcp, --health-http, --health-log",
    );
  return tests[0];
}
