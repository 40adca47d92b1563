import type { Images } from "../images/contract.ts";
import type { Logger } from "../lib/log.ts";
import type { Networks } from "../network/contract.ts";
import type { Runtime } from "../runtime/contract.ts";
import type { Snapshots } from "../snapshots/contract.ts";
import type { State } from "../state/database.ts";
import type { EventBus } from "../state/events.ts";
import type { Volumes } from "../volumes/contract.ts";
import type { ContainersConfig } from "./config.ts";
import type { Containers } from "./contract.ts";

/** What the containers service is built from: the services below it, explicitly. */
export interface ContainersDeps {
  state: State;
  events: EventBus;
  images: Images;
  snapshots: Snapshots;
  volumes: Volumes;
  networks: Networks;
  runtime: Runtime;
  config: ContainersConfig;
  logger: Logger;
}

/** Opens the service: reads every container's row. Nothing starts before `recover`. */
export function openContainers(_deps: ContainersDeps): Containers {
  throw new Error("under construction");
}
