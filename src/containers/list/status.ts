import { humanDuration } from "../../lib/text/units.ts";
import { zeroTime } from "../../lib/time/time.ts";
import type { ContainerStatus } from "../../types/api.ts";
import type { Container } from "../container.ts";

/** What the API calls a container's state; our `starting` is still what it was before. */
export function stateWord(container: Container): ContainerStatus {
  const { status } = container.life;
  if (container.removing && !container.alive) return "removing";
  if (container.restarting) return "restarting";
  if (status === "starting") return container.neverStarted ? "created" : "exited";
  return status;
}

/** The STATUS column: "Up 3 minutes", "Exited (0) 2 hours ago", "Created" … */
export function statusText(container: Container, health: string | undefined, nowMs = Date.now()): string {
  const { life } = container;
  const since = (time: string): string => humanDuration(Math.floor((nowMs - Date.parse(time)) / 1000));
  switch (stateWord(container)) {
    case "running": {
      const word = health === undefined ? "" : health === "starting" ? " (health: starting)" : ` (${health})`;
      return `Up ${since(life.startedAt)}${word}`;
    }
    case "paused":
      return `Up ${since(life.startedAt)} (Paused)`;
    case "restarting":
      return `Restarting (${life.exitCode}) ${since(life.finishedAt)} ago`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "created":
      return "Created";
    case "exited":
      return life.finishedAt === zeroTime ? "" : `Exited (${life.exitCode}) ${since(life.finishedAt)} ago`;
  }
}
