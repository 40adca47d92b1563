import type { ContentStore } from "../content/contract.ts";
import type { Distribution } from "../distribution/contract.ts";
import type { Logger } from "../lib/log.ts";
import type { ApplyLimits, Snapshots } from "../snapshots/contract.ts";
import type { State } from "../state/database.ts";
import type { EventBus } from "../state/events.ts";
import type { Leases } from "../state/leases.ts";
import type { Descriptor } from "../types/oci.ts";
import type { Pins } from "./keeping/pins.ts";
import type { Uses } from "./keeping/uses.ts";
import type { LayerWork } from "./pull/layer-work.ts";
import type { PushNews } from "./push/news.ts";
import type { RemoteRecords } from "./remote/records.ts";
import type { LayerReaper } from "./remove/reaper.ts";
import type { ImageStore } from "./store.ts";
import type { SharedWork } from "./transfer/shared.ts";
import type { SlotsByRegistry } from "./transfer/slots.ts";
import type { Taking } from "./transfer/taking.ts";

/** What the images service is built from. */
export interface ImagesDeps {
  state: State;
  content: ContentStore;
  snapshots: Snapshots;
  events: EventBus;
  leases: Leases;
  logger: Logger;
  distribution: Distribution;
  /** may change while the engine runs */
  limits: TransferLimits;
  /** what imported images name as `docker_version` */
  engineVersion: string;
}

export interface TransferLimits {
  /** layers at a time, of all pulls from or pushes to a registry together */
  downloads: number;
  uploads: number;
  /** tries in a row that bring nothing, before a download is given up */
  downloadAttempts: number;
  /** bytes a layer may unpack to; 0 = as the disk allows, but no decompression bomb */
  layerBytes: number;
}

/** The limit of layers that come from elsewhere, for `Snapshots.apply`. */
export const layerLimits = ({ limits }: Pick<ImagesDeps, "limits">): { limits?: ApplyLimits } =>
  limits.layerBytes > 0 ? { limits: { bytes: limits.layerBytes } } : {};

/** What a use case of this folder gets. */
export interface ImagesContext extends ImagesDeps {
  store: ImageStore;
  reaper: LayerReaper;
  pins: Pins;
  uses: Uses;
  remote: RemoteRecords;
  downloads: SlotsByRegistry;
  uploads: SlotsByRegistry;
  layerWork: LayerWork;
  /** layers that another engine gives, by diff id */
  taking: Map<string, Taking>;
  /** layers that are being pushed, by repository and diff id */
  pushWork: SharedWork<PushNews, Descriptor>;
}
