import type { Logger } from "../lib/log.ts";
import type { EventBus } from "../state/events.ts";
import type { Holders } from "./holders.ts";
import type { KeyedQueue } from "./keyed-queue.ts";
import type { LocalDriver } from "./local/driver.ts";
import type { VolumeFolders } from "./local/folders.ts";
import type { VolumeRecord, VolumeStore } from "./store.ts";

/** What the operations on volumes work with. */
export interface VolumeParts {
  store: VolumeStore;
  folders: VolumeFolders;
  local: LocalDriver;
  holders: Holders;
  events: EventBus;
  logger: Logger;
  /** what changes one volume runs one after another */
  queue: KeyedQueue;
  /** throws Docker's `notFound` */
  find(name: string): VolumeRecord;
}

export function publish(
  { events }: Pick<VolumeParts, "events">,
  action: string,
  { name, driver }: Pick<VolumeRecord, "name" | "driver">,
  more: Record<string, string> = {},
): void {
  events.publish({ type: "volume", action, id: name, attributes: { driver, ...more } });
}
