import { nowNs } from "../../lib/time/time.ts";
import type { Filters } from "../../lib/wire/filters.ts";
import { stringify } from "../../lib/wire/json.ts";
import type { EventBus } from "../../state/events.ts";
import type { EventMessage } from "../../types/api.ts";
import { passes } from "./filter.ts";

interface EventSpan {
  filters: Filters;
  sinceNs: bigint | undefined;
  untilNs: bigint | undefined;
  /** false for clients before API 1.46, which are not told of images that are made; true unless said */
  imageCreates?: boolean;
}

/** How many events wait for a slow client before it is cut off. */
const queueLimit = 4096;

/** The longest a timer can wait, milliseconds. */
const longestTimer = 2 ** 31 - 1;

/**
 * Events as lines of JSON: kept ones from `sinceNs` on, then live ones until `untilNs`, or until the client leaves. A
 * client that does not keep up gets what is queued, then the end, rather than holding the engine's memory.
 */
export function eventLines(bus: EventBus, span: EventSpan): AsyncIterable<string> {
  return { [Symbol.asyncIterator]: () => new EventLines(bus, span) };
}

class EventLines implements AsyncIterator<string> {
  private readonly queue: string[] = [];
  private readonly unsubscribe: () => void;
  private readonly timer: Timer | undefined;
  private ended = false;
  private wake: (() => void) | undefined;

  constructor(bus: EventBus, { filters, sinceNs, untilNs, imageCreates = true }: EventSpan) {
    const take = (event: EventMessage): void => {
      if (!passes(event, filters)) return;
      if (!imageCreates && event.Type === "image" && event.Action === "create") return;
      this.queue.push(`${stringify(event)}\n`);
      if (this.queue.length >= queueLimit) this.finish();
      else this.wake?.();
    };
    if (sinceNs !== undefined) for (const event of bus.since(sinceNs, untilNs)) take(event);
    const leftMs = untilNs === undefined ? undefined : Number((untilNs - nowNs()) / 1_000_000n);
    this.unsubscribe = bus.subscribe(take);
    if (leftMs === undefined) return;
    if (leftMs <= 0) this.finish();
    else this.timer = setTimeout(() => this.finish(), Math.min(leftMs, longestTimer));
  }

  async next(): Promise<IteratorResult<string>> {
    while (this.queue.length === 0 && !this.ended)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    if (this.queue.length === 0) return { value: undefined, done: true };
    return { value: this.queue.splice(0).join(""), done: false };
  }

  async return(): Promise<IteratorResult<string>> {
    this.queue.length = 0;
    this.finish();
    return { value: undefined, done: true };
  }

  private finish(): void {
    this.ended = true;
    this.unsubscribe();
    clearTimeout(this.timer);
    this.wake?.();
  }
}
