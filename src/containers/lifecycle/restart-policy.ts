import type { EngineError, ErrorKind } from "../../lib/errors.ts";
import type { ExitReport } from "../../runtime/contract.ts";
import type { Container } from "../container.ts";

const firstMs = 100;
const longestMs = 60_000;
/** a run this long was a good one: the next delay is the first again */
const goodRunMs = 10_000;

/**
 * Milliseconds until a container that has just ended is started again, undefined when it is to stay: 100 ms, doubling
 * to a minute, from the beginning after a run of ten seconds.
 */
export function nextRestart(
  container: Container,
  report: Pick<ExitReport, "exitCode" | "exitedAtNs">,
): number | undefined {
  if (!wantsRestart(container, report.exitCode)) return undefined;
  const before = container.ranMs(report.exitedAtNs) >= goodRunMs ? 0 : container.backoffMs;
  container.backoffMs = longer(before);
  return container.backoffMs;
}

function wantsRestart({ spec, life }: Container, exitCode: number): boolean {
  const policy = spec.hostConfig.RestartPolicy;
  if (life.stoppedByUser) return false;
  if (policy.Name === "always" || policy.Name === "unless-stopped") return true;
  if (policy.Name !== "on-failure" || exitCode === 0) return false;
  return policy.MaximumRetryCount === 0 || life.restartCount < policy.MaximumRetryCount;
}

/** a restart that fails so would fail again: what is asked for cannot be had */
const lasting: readonly ErrorKind[] = ["invalid", "notFound", "notImplemented"];

/**
 * Milliseconds until an automatic start that failed is tried again, undefined where the container stays ended. Docker
 * leaves it ended after any failure; here a passing cause (a port or a joined container not free yet, no memory, a full
 * disk) is waited for, and what the configuration asks for in vain (no such command, no such folder) ends it.
 */
export function nextRetry(container: Container, error: EngineError): number | undefined {
  if (lasting.includes(error.kind) || !wantsRestart(container, container.life.exitCode || 1))
    return undefined;
  container.backoffMs = longer(container.backoffMs);
  return container.backoffMs;
}

const longer = (beforeMs: number): number => (beforeMs === 0 ? firstMs : Math.min(beforeMs * 2, longestMs));

/** Docker's rule at the engine's own start: `always` comes back even where a user had stopped it. */
export function wantsStartAtBoot(container: Container): boolean {
  if (container.spec.hostConfig.RestartPolicy.Name === "always") return !container.neverStarted;
  return !container.neverStarted && wantsRestart(container, container.life.exitCode);
}
