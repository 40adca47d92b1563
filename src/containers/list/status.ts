import { zeroTime } from "../../lib/time/time.ts";
import type { ContainerStatus } from "../../types/api.ts";
import type { Container } from "../container.ts";

/** Docker's wording of a span: "Less than a second", "3 minutes", "About an hour", "2 weeks" … */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(seconds / 3600 / 24 / 365)} years`;
}

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
  const since = (time: string): string => humanDuration(nowMs - Date.parse(time));
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
