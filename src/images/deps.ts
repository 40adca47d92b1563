import type { ContentStore } from "../content/contract.ts";
import type { Logger } from "../lib/log.ts";
import type { Snapshots } from "../snapshots/contract.ts";
import type { State } from "../state/database.ts";
import type { EventBus } from "../state/events.ts";
import type { Leases } from "../state/leases.ts";
import type { LayerReaper } from "./reaper.ts";
import type { ImageStore } from "./store.ts";

/** What the images service is built from. */
export interface ImagesDeps {
  state: State;
  content: ContentStore;
  snapshots: Snapshots;
  events: EventBus;
  leases: Leases;
  logger: Logger;
  /** what imported images name as `docker_version` */
  engineVersion: string;
}

/** What a use case of this folder gets. */
export interface ImagesContext extends ImagesDeps {
  store: ImageStore;
  reaper: LayerReaper;
}
