import { newId } from "../../lib/ids.ts";
import type { ContainerConfig, HostConfig, MountPoint, VolumeCreateRequest } from "../../types/api.ts";
import type { ResolvedMount } from "../contract.ts";

/** A mount that was decided, and the volume that must exist for it. */
export interface PlannedMount {
  mount: ResolvedMount;
  volume?: VolumeCreateRequest;
}

/** What `--volumes-from` needs of another container. */
interface VolumesDonor {
  mounts: readonly ResolvedMount[];
}

export interface MountsInput {
  config: ContainerConfig;
  hostConfig: HostConfig;
  donor: (idOrName: string) => VolumesDonor;
  image: (reference: string) => { id: string; layers: string[] };
  /** the engine's own files */
  dataRoot: string;
}

const anonymousLabel = "com.docker.volume.anonymous";

/** A driver that nobody asked for is not asked for: a volume that is there may have any. */
export const driverOf = ({ VolumeDriver }: HostConfig): VolumeCreateRequest =>
  VolumeDriver ? { Driver: VolumeDriver } : {};

/** A volume's mount, its source yet to be filled in; without a name it gets one, and goes with the container. */
export function plannedVolume(want: {
  name: string;
  target: string;
  mode: string;
  readOnly: boolean;
  copyUp: boolean;
  subpath?: string;
  request: VolumeCreateRequest;
}): PlannedMount {
  const anonymous = want.name === "";
  const name = anonymous ? newId() : want.name;
  const labels = anonymous ? { ...(want.request.Labels ?? {}), [anonymousLabel]: "" } : want.request.Labels;
  const point: MountPoint = {
    Type: "volume",
    Name: name,
    // known once the volume is there
    Source: "",
    Destination: want.target,
    Driver: want.request.Driver ?? "local",
    Mode: want.mode,
    RW: !want.readOnly,
    Propagation: "",
  };
  return {
    mount: {
      point,
      options: ["rbind", want.readOnly ? "ro" : "rw", "rprivate"],
      volume: name,
      ...(want.subpath === undefined ? {} : { subpath: want.subpath }),
      copyUp: want.copyUp,
      anonymous,
    },
    volume: { ...want.request, Name: name, ...(labels ? { Labels: labels } : {}) },
  };
}
