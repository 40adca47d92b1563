import type { Distribution } from "../distribution/contract.ts";
import type { Images } from "../images/contract.ts";
import type { Logger } from "../lib/log.ts";
import type { IdMap } from "../lib/users/id-map.ts";
import type { Networks } from "../network/contract.ts";
import type { Runtime } from "../runtime/contract.ts";
import type { Snapshots } from "../snapshots/contract.ts";
import type { State } from "../state/database.ts";
import type { EventBus } from "../state/events.ts";
import type { Leases } from "../state/leases.ts";
import type { CacheMounts } from "./cache/mounts.ts";
import type { CacheStore } from "./cache/store.ts";
import type { BuildWorkers } from "./copy/worker/workers.ts";
import type { BuildHistory } from "./history/store.ts";
import type { Views } from "./operations/views.ts";
import type { SharedSteps } from "./solver/shared-steps.ts";

/** What the engine's configuration decides for builds. */
export interface BuildsConfig {
  dataRoot: string;
  execRoot: string;
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOptions: readonly string[];
  hostGatewayIps: readonly string[];
  cgroupParent: string;
  defaultUlimits: readonly { Name: string; Soft: number; Hard: number }[];
  /** `userns-remap`, as for containers; absent = steps are in the host's user namespace */
  remap?: IdMap;
}

/** The services below, explicitly. */
export interface BuildsDeps {
  state: State;
  events: EventBus;
  images: Images;
  distribution: Distribution;
  snapshots: Snapshots;
  networks: Networks;
  runtime: Runtime;
  leases: Leases;
  logger: Logger;
  config: BuildsConfig;
}

/** What every part of a build works with; one for the engine. */
export interface BuildContextDeps extends BuildsDeps {
  cache: CacheStore;
  cacheMounts: CacheMounts;
  workers: BuildWorkers;
  views: Views;
  shared: SharedSteps;
  history: BuildHistory;
  paths: BuildPaths;
}

/** Where builds keep things: below the data root what lasts, below the exec root what a step needs while it runs. */
export interface BuildPaths {
  /** folders of cache mounts */
  mounts: string;
  /** lists of files, by digest */
  lists: string;
  /** what is known of contexts' files, by the context's folder */
  stats: string;
  /** contexts that were unpacked, downloads; swept at start */
  scratch: string;
  /** a folder per running step; swept at start */
  steps: string;
}
