import { posix } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import type { ContainerConfig, HostConfig, MountPoint, VolumeCreateRequest } from "../../types/api.ts";
import type { ResolvedMount } from "../contract.ts";
import { checkTarget, cleanPath, parseBindSpec } from "./bind-spec.ts";
import { bindPropagation } from "./data-root.ts";
import { mountFromRequest } from "./mount-request.ts";

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

function fromBind(raw: string, input: MountsInput): PlannedMount {
  const spec = parseBindSpec(raw);
  if (spec.source.startsWith("/")) {
    const propagation = bindPropagation(spec.source, spec.propagation, input.dataRoot);
    const point: MountPoint = {
      Type: "bind",
      Source: spec.source,
      Destination: spec.target,
      Mode: spec.mode,
      RW: !spec.readOnly,
      Propagation: propagation.mode,
    };
    const options = ["rbind", spec.readOnly ? "ro" : "rw", ...propagation.options, "create-source"];
    return { mount: { point, options, copyUp: false, anonymous: false } };
  }
  return plannedVolume({
    name: spec.source,
    target: spec.target,
    mode: spec.source === "" ? spec.mode : spec.mode || "z",
    readOnly: spec.readOnly,
    copyUp: spec.copy,
    request: driverOf(input.hostConfig),
  });
}

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

function fromDonor(spec: string, input: MountsInput): PlannedMount[] {
  if (spec === "") throw new EngineError("invalid", "volumes-from specification cannot be an empty string");
  const at = spec.indexOf(":");
  const [id, mode] = at < 0 ? [spec, ""] : [spec.slice(0, at), spec.slice(at + 1)];
  if (at >= 0 && !["", "ro", "rw", "z", "Z", "ro,z", "rw,z", "ro,Z", "rw,Z"].includes(mode))
    throw new EngineError("invalid", `invalid mode: ${mode}`);
  const readOnly = mode.split(",").includes("ro");
  return input.donor(id).mounts.map((mount) => {
    const writable = mount.point.RW && !readOnly;
    const options = mount.options.map((option) => (option === "rw" && !writable ? "ro" : option));
    return {
      mount: {
        ...mount,
        ...(mount.image ? { image: { ...mount.image, key: "" } } : {}),
        options,
        point: { ...mount.point, Mode: "", RW: writable },
      },
    };
  });
}

/**
 * Every mount of a container, in Docker's order of precedence: those of other containers, `-v`, `--mount`, and last
 * the image's volumes at places nothing else took. Throws `Duplicate mount point: x`.
 */
export function planMounts(input: MountsInput): PlannedMount[] {
  const { config, hostConfig } = input;
  const byTarget = new Map<string, PlannedMount>();
  for (const spec of hostConfig.VolumesFrom ?? [])
    for (const planned of fromDonor(spec, input)) byTarget.set(planned.mount.point.Destination, planned);
  const tmpfs = new Set(Object.keys(hostConfig.Tmpfs ?? {}).map(checkTarget));
  const taken = new Set<string>();
  const claim = (planned: PlannedMount, asked: string): void => {
    const target = planned.mount.point.Destination;
    if (taken.has(target)) throw new EngineError("invalid", `Duplicate mount point: ${asked}`);
    taken.add(target);
    byTarget.set(target, planned);
  };
  for (const raw of hostConfig.Binds ?? []) {
    const planned = fromBind(raw, input);
    const target = planned.mount.point.Destination;
    if (tmpfs.has(target)) throw new EngineError("invalid", `Duplicate mount point: ${target}`);
    claim(planned, target);
  }
  // Docker looks for a `--tmpfs` at the same place only with `-v`: here the tmpfs is mounted instead
  for (const request of hostConfig.Mounts ?? []) claim(mountFromRequest(request, input), request.Target);
  for (const spec of Object.keys(config.Volumes ?? {})) {
    const target = cleanPath(posix.join("/", spec));
    if (byTarget.has(target) || taken.has(target) || tmpfs.has(target)) continue;
    claim(
      plannedVolume({
        name: "",
        target,
        mode: "",
        readOnly: false,
        copyUp: true,
        request: driverOf(hostConfig),
      }),
      target,
    );
  }
  return [...byTarget.values()];
}
