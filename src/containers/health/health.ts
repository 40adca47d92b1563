import type { Container, HealthWord } from "../container.ts";
import type { Context } from "../context.ts";
import { stopProcess } from "../lifecycle/stop.ts";
import { HealthMonitor } from "./monitor.ts";
import { failureAction } from "./on-failure.ts";
import { probeFor } from "./probe.ts";
import { readTest } from "./test.ts";

/** Begins watching where there is something to watch; the container has just begun to run (or was found running). */
export function startHealth(ctx: Context, container: Container): void {
  const check = container.spec.config.Healthcheck;
  const test = check && readTest(check, container.spec.config.Shell);
  const earlier = container.health?.results ?? [];
  container.health = undefined;
  if (!check || !test) {
    container.waiters.settled({ StatusCode: 0 });
    return;
  }
  const monitor = new HealthMonitor(ctx, container, {
    check,
    probe: probeFor(ctx, container, test),
    byEngine: test.kind !== "command",
    earlier,
    changed: (status) => settled(ctx, container, status),
  });
  container.health = monitor;
  monitor.start();
}

function settled(ctx: Context, container: Container, status: HealthWord): void {
  if (status === "healthy") container.waiters.settled({ StatusCode: 0 });
  if (status !== "unhealthy") return;
  container.waiters.settled({ StatusCode: 1, Error: { Message: unhealthyText(container) } });
  ctx.background.run(`end of unhealthy ${container.name}`, () => actOnFailure(ctx, container));
}

export function unhealthyText({ name, health }: Container): string {
  const last = health?.results.at(-1)?.Output.trim() ?? "";
  return `container ${name} is unhealthy${last === "" ? "" : `: ${last}`}`;
}

/**
 * `--health-on-failure`. `stop` is as if a user had stopped it: its restart policy leaves it so. `kill` leaves what
 * follows to the policy. `restart` brings it up again whatever the policy says, unless a user stops it meanwhile.
 */
async function actOnFailure(ctx: Context, container: Container): Promise<void> {
  const action = failureAction(container.spec.hostConfig);
  if (action === "none" || container.removing || container.life.status !== "running") return;
  container.restartsUnhealthy = action === "restart";
  await stopProcess(ctx, container, {
    sender: "health",
    byUser: action === "stop",
    ...(action === "kill" ? { signal: "SIGKILL" } : {}),
  });
}
