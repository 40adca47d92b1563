import { nowNs } from "../lib/time/time.ts";
import type { EventMessage } from "../types/api.ts";

type EventType = "container" | "image" | "network" | "volume" | "builder" | "daemon";

/** What a service tells: the bus adds the time and Docker's legacy fields. */
interface EngineEvent {
  type: EventType;
  action: string;
  id: string;
  attributes: Record<string, string>;
}

/** How many past events `GET /events?since=` can still tell. */
const keptEvents = 1024;

/**
 * The event bus: services publish facts after they are committed; the API streams them. Delivery is synchronous and
 * in order; a listener must not throw or block (the API's listener puts the event into its client's queue).
 */
export class EventBus {
  private readonly past: EventMessage[] = [];
  private readonly listeners = new Set<(event: EventMessage) => void>();

  publish({ type, action, id, attributes }: EngineEvent): void {
    const timeNano = nowNs();
    const legacy =
      type === "container" || type === "image"
        ? { status: action, id, ...(type === "container" ? { from: attributes["image"] ?? "" } : {}) }
        : {};
    const event: EventMessage = {
      ...legacy,
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: "local",
      time: Number(timeNano / 1_000_000_000n),
      timeNano,
    };
    this.past.push(event);
    if (this.past.length > keptEvents) this.past.shift();
    for (const listener of this.listeners) listener(event);
  }

  /** The kept events of the span [sinceNs, untilNs], oldest first. */
  since(sinceNs: bigint, untilNs?: bigint): EventMessage[] {
    return this.past.filter(
      (event) => event.timeNano >= sinceNs && (untilNs === undefined || event.timeNano <= untilNs),
    );
  }

  /** Calls `listener` for each event from now on, until the returned function is called. */
  subscribe(listener: (event: EventMessage) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get listenerCount(): number {
    return this.listeners.size;
  }
}
