import { EngineError } from "../../lib/errors.ts";
import type { WaitResponse } from "../../types/api.ts";
import type { Container } from "../container.ts";
import type { WaitCondition } from "../contract.ts";
import { unhealthyText } from "../health/health.ts";
import { whyEnded } from "./ended.ts";

const conditions = ["", "not-running", "next-exit", "removed", "healthy"];

/** `POST /containers/{id}/wait` */
export function wait(
  container: Container,
  condition: WaitCondition,
  signal: AbortSignal,
): { done: Promise<WaitResponse> } {
  if (!conditions.includes(condition)) throw new EngineError("invalid", `invalid condition: "${condition}"`);
  const wanted: WaitCondition = (condition as string) === "" ? "not-running" : condition;
  if (wanted === "healthy") {
    const known = healthNow(container);
    return { done: known ? Promise.resolve(known) : container.waiters.wait(wanted, signal) };
  }
  const ended = !container.running && container.life.status !== "starting";
  if (wanted === "not-running" && ended) {
    const { exitCode: StatusCode, error } = container.life;
    return { done: Promise.resolve({ ...(error === "" ? {} : { Error: { Message: error } }), StatusCode }) };
  }
  return { done: container.waiters.wait(wanted, signal) };
}

/** What is known already; undefined while it starts. */
function healthNow(container: Container): WaitResponse | undefined {
  const { life, health } = container;
  if (life.status === "starting") return undefined;
  if (!container.alive) {
    const why = whyEnded(container)?.reason ?? "it was never started";
    return { StatusCode: 1, Error: { Message: `container ${container.name} is not running: ${why}` } };
  }
  if (!health || health.status === "healthy") return { StatusCode: 0 };
  if (health.status === "starting") return undefined;
  return { StatusCode: 1, Error: { Message: unhealthyText(container) } };
}
