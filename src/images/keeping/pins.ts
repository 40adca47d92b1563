import { parseReferenceOrId } from "../../lib/image/reference.ts";
import type { State } from "../../state/database.ts";
import { keyOf, resolve } from "../resolve.ts";
import type { ImageStore } from "../store.ts";

/**
 * Pins: what no prune and no policy removes, and `rmi` only by force. A pin on a name protects whatever image the name
 * stands for; a pin on an id that one image, named or not.
 */
export class Pins {
  private readonly state: State;
  private readonly store: ImageStore;
  private readonly pins: Set<string>;

  constructor(state: State, store: ImageStore) {
    this.state = state;
    this.store = store;
    const rows = state.db.query<{ pin: string }, []>("SELECT pin FROM image_pins").all();
    this.pins = new Set(rows.map(({ pin }) => pin));
  }

  /** Pins by name where `text` is one, else by id. Gives the image's id. */
  add(text: string): string {
    const { id, pin } = this.pinOf(text);
    this.state.db
      .query("INSERT OR IGNORE INTO image_pins (pin, created_at) VALUES (?, ?)")
      .run(pin, Date.now());
    this.pins.add(pin);
    return id;
  }

  /** Takes every pin off the image that `text` names. */
  remove(text: string): string {
    const { id } = this.pinOf(text);
    for (const pin of this.of(id)) this.drop(pin);
    return id;
  }

  has(id: string): boolean {
    return this.of(id).length > 0;
  }

  /** Whether this very name is pinned. */
  isName(reference: string): boolean {
    return this.pins.has(reference);
  }

  /** The image is gone: a pin on its id has nothing to protect. Pins on names wait for the next image of that name. */
  forget(id: string): void {
    if (this.pins.has(id)) this.drop(id);
  }

  private of(id: string): string[] {
    if (this.pins.size === 0) return [];
    return [id, ...this.store.referencesOf(id)].filter((pin) => this.pins.has(pin));
  }

  private drop(pin: string): void {
    this.state.db.query("DELETE FROM image_pins WHERE pin = ?").run(pin);
    this.pins.delete(pin);
  }

  private pinOf(text: string): { id: string; pin: string } {
    const { id } = resolve(this.store, text);
    const parsed = parseReferenceOrId(text);
    const key = "id" in parsed ? undefined : keyOf(parsed);
    return { id, pin: key !== undefined && this.store.named(key) === id ? key : id };
  }
}
