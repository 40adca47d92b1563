import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Volumes } from "./contract.ts";
import type { VolumesOptions } from "./service.ts";
import { VolumeService } from "./service.ts";

/** Opens the volumes below a data root. Call `sweep` before the first container runs. */
export function openVolumes(options: VolumesOptions): Volumes {
  mkdirSync(join(options.dataRoot, "volumes"), { recursive: true, mode: 0o701 });
  return new VolumeService(options);
}
