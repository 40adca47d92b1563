import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../lib/log.ts";
import type { State } from "../state/database.ts";
import type { EventBus } from "../state/events.ts";
import type { Volumes } from "./contract.ts";
import type { PluginFolders } from "./plugins/discovery.ts";
import { VolumeService } from "./service.ts";

export interface VolumesOptions {
  dataRoot: string;
  state: State;
  events: EventBus;
  logger: Logger;
  /** where plugins are found; Docker's folders where left out */
  plugins?: PluginFolders;
}

/** Opens the volumes below a data root. Call `sweep` before the first container runs. */
export function openVolumes(options: VolumesOptions): Volumes {
  mkdirSync(join(options.dataRoot, "volumes"), { recursive: true, mode: 0o701 });
  return new VolumeService(options);
}
