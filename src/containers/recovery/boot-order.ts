import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { readTest } from "../health/test.ts";
import { scheduleRestart } from "../lifecycle/restart-manager.ts";
import { joinedContainer } from "../start/join-mode.ts";

/** longer than this no container waits for another: it starts, and the log says that it did */
const longestWaitMs = 300_000;

type Condition = "started" | "healthy" | "completed";

/** What a container waits for before the engine starts it. */
interface Dependency {
  on: Container;
  condition: Condition;
}

const conditions: Readonly<Record<string, Condition>> = {
  service_started: "started",
  service_healthy: "healthy",
  service_completed_successfully: "completed",
};

const labels = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  dependsOn: "com.docker.compose.depends_on",
} as const;

/**
 * Containers of this engine that one depends on: as Compose wrote it down in a label, `db:service_healthy:false,…`, and
 * the one whose network it joins.
 */
function dependenciesOf(ctx: Pick<Context, "store">, container: Container): Dependency[] {
  const found: Dependency[] = [];
  const { Labels } = container.spec.config;
  for (const entry of (Labels?.[labels.dependsOn] ?? "").split(",")) {
    const [service = "", word = ""] = entry.split(":");
    const condition = Object.hasOwn(conditions, word) ? conditions[word] : undefined;
    if (condition === undefined) continue;
    for (const other of ctx.store.all())
      if (other !== container && isOf(other, Labels?.[labels.project], service))
        found.push({ on: other, condition });
  }
  const joined = joinedContainer(container.spec.hostConfig.NetworkMode);
  const donor = joined === undefined ? undefined : ctx.store.lookUp(joined);
  if (donor) found.push({ on: donor, condition: "started" });
  return found;
}

function isOf({ spec }: Container, project: string | undefined, service: string): boolean {
  const { Labels } = spec.config;
  return project !== undefined && Labels?.[labels.project] === project && Labels[labels.service] === service;
}

/** Whether nothing is left to wait for: the condition holds, or nobody is going to start the other. */
function isSettled({ on, condition }: Dependency): boolean {
  const { status, exitCode } = on.life;
  if (condition === "completed" && status === "exited" && exitCode === 0) return true;
  if (!on.running && status !== "starting") return true;
  if (condition === "completed" || !on.alive) return false;
  return condition === "started" || !hasCheck(on) || on.health?.status === "healthy";
}

function hasCheck({ spec }: Container): boolean {
  const { Healthcheck, Shell } = spec.config;
  return Healthcheck !== undefined && Healthcheck !== null && readTest(Healthcheck, Shell) !== undefined;
}

/**
 * Starts containers at the engine's own start, after a reboot, each once what it depends on is there. They are told as
 * restarting meanwhile, and a user's stop takes one out, as out of any restart that is awaited.
 */
export function startInOrder(ctx: Context, boot: readonly Container[]): void {
  const waiting = new Map<Container, Dependency[]>();
  for (const container of boot) {
    container.life = { ...container.life, status: "restarting" };
    ctx.store.saveLife(container);
    waiting.set(container, dependenciesOf(ctx, container));
    container.cancelRestart = () => {
      container.cancelRestart = undefined;
      waiting.delete(container);
    };
  }
  let planned = false;
  const startReady = (): void => {
    planned = false;
    for (const [container, dependencies] of waiting) {
      if (!dependencies.every(isSettled)) continue;
      waiting.delete(container);
      scheduleRestart(ctx, container, 0);
    }
    if (waiting.size === 0 || ctx.closing) end();
  };
  const unsubscribe = ctx.events.subscribe(({ Type }) => {
    if (Type !== "container" || planned) return;
    planned = true;
    queueMicrotask(startReady); // what an event tells is done a moment later
  });
  const cancelLimit = ctx.clock.after(longestWaitMs, () => {
    for (const [container, dependencies] of waiting) {
      const missing = dependencies.filter((one) => !isSettled(one)).map(({ on }) => on.name);
      ctx.logger.warn("a container is started without what it depends on", {
        container: container.name,
        missing: missing.join(", "),
      });
      waiting.set(container, []);
    }
    startReady();
  });
  const end = (): void => {
    unsubscribe();
    cancelLimit();
  };
  startReady();
}
