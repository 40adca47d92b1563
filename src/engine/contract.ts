import type { Builds } from "../build/contract.ts";
import type { Buildkit } from "../buildkit/contract.ts";
import type { Containers } from "../containers/contract.ts";
import type { Distribution } from "../distribution/contract.ts";
import type { Images } from "../images/contract.ts";
import type { Logger } from "../lib/log.ts";
import type { Networks } from "../network/contract.ts";
import type { EventBus } from "../state/events.ts";
import type { DiskUsage } from "../types/api.ts";
import type { SystemInfo, SystemVersion } from "../types/system.ts";
import type { Volumes } from "../volumes/contract.ts";
import type { Gc } from "./gc/collect.ts";
import type { UsageKind } from "./info/disk-usage.ts";
import type { Prune } from "./prune/prune.ts";
import type { VolumeOperations } from "./volume-operations.ts";

/** The engine as the API sees it: its services, and what it tells of itself and its host. */
export interface Engine {
  readonly containers: Containers;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly networks: Networks;
  readonly builds: Builds;
  readonly registries: Distribution;
  readonly events: EventBus;
  readonly logger: Logger;
  /** what every reply's `Server` header says: "28.5.2+berth.0.1.0" */
  readonly serverVersion: string;
  readonly prune: Prune;
  readonly volumeOperations: VolumeOperations;
  readonly gc: Gc;
  /** BuildKit's front door, loaded at first use */
  buildkit(): Promise<Buildkit>;
  diskUsage(kinds: ReadonlySet<UsageKind>): Promise<DiskUsage>;
  version(): SystemVersion;
  info(): Promise<SystemInfo>;
}
