import { EngineError } from "../lib/errors.ts";
import type { WaitResponse } from "../types/api.ts";
import type { Container } from "./container.ts";
import type { WaitCondition } from "./contract.ts";

const conditions = ["", "not-running", "next-exit", "removed"];

/** `POST /containers/{id}/wait` */
export function wait(
  container: Container,
  condition: WaitCondition,
  signal: AbortSignal,
): { done: Promise<WaitResponse> } {
  if (!conditions.includes(condition)) throw new EngineError("invalid", `invalid condition: "${condition}"`);
  const wanted: WaitCondition = (condition as string) === "" ? "not-running" : condition;
  const ended = !container.running && container.life.status !== "starting";
  if (wanted === "not-running" && ended)
    return { done: Promise.resolve({ StatusCode: container.life.exitCode }) };
  return { done: container.waiters.wait(wanted, signal) };
}
