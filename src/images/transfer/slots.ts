/** So many at a time, first come first served. The number may change; it counts for the next who comes or goes. */
class Slots {
  private readonly max: () => number;
  private taken = 0;
  private readonly queue: (() => void)[] = [];

  constructor(max: () => number) {
    this.max = max;
  }

  /** Whether a newcomer would have to wait. */
  get busy(): boolean {
    return this.taken >= this.max();
  }

  get idle(): boolean {
    return this.taken === 0;
  }

  /** Resolves with what gives the slot back (once; again is nothing). Rejects when the signal aborts first. */
  async acquire(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.busy) await this.wait(signal);
    else this.taken++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.giveBack();
    };
  }

  private wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.queue.splice(this.queue.indexOf(enter), 1);
        reject(signal.reason);
      };
      this.queue.push(enter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  /** The slot goes to the next in the queue without being free in between. */
  private giveBack(): void {
    const next = this.taken <= this.max() ? this.queue.shift() : undefined;
    if (next) next();
    else this.taken--;
  }
}

/** Slots of each registry's own: one that stands still takes none of another's. */
export class SlotsByRegistry {
  private readonly max: () => number;
  private readonly slots = new Map<string, Slots>();

  constructor(max: () => number) {
    this.max = max;
  }

  of(registry: string): Slots {
    const known = this.slots.get(registry);
    if (known !== undefined) return known;
    for (const [name, each] of this.slots) if (each.idle) this.slots.delete(name);
    const made = new Slots(this.max);
    this.slots.set(registry, made);
    return made;
  }
}
