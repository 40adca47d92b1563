import { posix } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import type { MountPoint } from "../../types/api.ts";
import { checkTarget, cleanPath, parseBindSpec } from "./bind-spec.ts";
import { mountFromRequest } from "./mount-request.ts";
import { driverOf, type MountsInput, type PlannedMount, plannedVolume } from "./planned.ts";
import { bindPropagation } from "./propagation.ts";

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
