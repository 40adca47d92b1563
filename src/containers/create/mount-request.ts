import { existsSync } from "node:fs";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { formatIdMap, parseIdMap } from "../../lib/users/id-map.ts";
import type { MountPoint, MountRequest } from "../../types/api.ts";
import { isLocalPath } from "../start/mounts/subpath.ts";
import { checkTarget, cleanPath, propagationModes } from "./bind-spec.ts";
import { driverOf, type MountsInput, type PlannedMount, plannedVolume } from "./planned.ts";
import { bindPropagation } from "./propagation.ts";

const optionTypes = [
  ["BindOptions", "bind"],
  ["VolumeOptions", "volume"],
  ["ImageOptions", "image"],
  ["TmpfsOptions", "tmpfs"],
] as const;

function refuse(type: string, sentence: string): never {
  throw new EngineError("invalid", `invalid mount config for type "${type}": ${sentence}`);
}

/** One `--mount`, checked and decided. */
export function mountFromRequest(request: MountRequest, input: MountsInput): PlannedMount {
  const type = request.Type as string;
  for (const [field, owner] of optionTypes)
    if (request[field] !== undefined && type !== owner)
      throw new EngineError("invalid", `${field} must not be specified on mount type "${type}"`);
  if (request.Target === "") refuse(type, "field Target must not be empty");
  if (!["bind", "volume", "tmpfs", "image"].includes(type)) refuse(type, "mount type unknown");
  let target: string;
  try {
    target = checkTarget(request.Target);
  } catch (error) {
    refuse(type, messageOf(error));
  }
  if (type === "bind") return bindMount(request, target, input.dataRoot);
  if (type === "image") return imageMount(request, target, input);
  if (type === "tmpfs") return tmpfsMount(request, target);
  return volumeMount(request, target, input);
}

/** Docker: a source of `--mount` must be there, at create and again at each start. */
export function checkBindSource(source: string): void {
  if (!existsSync(source)) refuse("bind", `bind source path does not exist: ${source}`);
}

function bindMount(request: MountRequest, target: string, dataRoot: string): PlannedMount {
  const source = request.Source ?? "";
  if (source === "") refuse("bind", "field Source must not be empty");
  if (!source.startsWith("/")) refuse("bind", `invalid mount path: '${source}' mount path must be absolute`);
  const asked = request.BindOptions?.Propagation;
  if (asked !== undefined && !propagationModes.has(asked))
    refuse("bind", `invalid propagation mode: ${asked}`);
  const create = request.BindOptions?.CreateMountpoint === true;
  if (!create) checkBindSource(source);
  const clean = cleanPath(source);
  const propagation = bindPropagation(clean, asked, dataRoot);
  const point: MountPoint = {
    Type: "bind",
    Source: clean,
    Destination: target,
    Mode: "",
    RW: request.ReadOnly !== true,
    Propagation: propagation.mode,
  };
  const { ReadOnlyNonRecursive: writableBelow, ReadOnlyForceRecursive: forced } = request.BindOptions ?? {};
  if ((writableBelow || forced) && !request.ReadOnly)
    refuse("bind", "mount must be read-only for its recursion to be chosen");
  if (writableBelow && forced)
    refuse("bind", "ReadOnlyForceRecursive and ReadOnlyNonRecursive cannot both be set");
  if (forced && asked !== "rprivate") refuse("bind", "ReadOnlyForceRecursive needs the propagation rprivate");
  const recursive = request.BindOptions?.NonRecursive !== true;
  const options = [
    recursive ? "rbind" : "bind",
    request.ReadOnly ? "ro" : "rw",
    ...propagation.options,
    ...(create ? ["create-source"] : []),
    ...(writableBelow ? ["writable-below"] : []),
  ];
  const map = request.BindOptions?.IdMap;
  const idMap = map ? { idMap: formatIdMap(parseIdMap(map)) } : {};
  return { mount: { point, options, copyUp: false, anonymous: false, ...idMap } };
}

function volumeMount(request: MountRequest, target: string, input: MountsInput): PlannedMount {
  const name = request.Source ?? "";
  if (name === "" && request.ReadOnly)
    refuse("volume", "must not set ReadOnly mode when using anonymous volumes");
  const options = request.VolumeOptions;
  if (options?.Subpath !== undefined && name === "")
    refuse("volume", "must not set Subpath when using anonymous volumes");
  const subpath = checkSubpath("volume", options?.Subpath);
  return plannedVolume({
    name,
    target,
    mode: "z",
    readOnly: request.ReadOnly === true,
    copyUp: options?.NoCopy !== true && subpath === undefined,
    ...(subpath === undefined ? {} : { subpath }),
    request: {
      ...driverOf(input.hostConfig),
      ...(options?.DriverConfig?.Name ? { Driver: options.DriverConfig.Name } : {}),
      ...(options?.DriverConfig?.Options ? { DriverOpts: options.DriverConfig.Options } : {}),
      ...(options?.Labels ? { Labels: options.Labels } : {}),
    },
  });
}

function checkSubpath(type: string, subpath: string | undefined): string | undefined {
  if (subpath === undefined || subpath === "") return undefined;
  if (!isLocalPath(subpath)) refuse(type, "subpath must be a relative path within the volume");
  return subpath;
}

/** A view of an image's files, read-only whatever was asked, as Docker makes it. */
function imageMount(request: MountRequest, target: string, input: MountsInput): PlannedMount {
  const source = request.Source ?? "";
  if (source === "") refuse("image", "field Source must not be empty");
  const subpath = checkSubpath("image", request.ImageOptions?.Subpath);
  const { id, layers } = input.image(source);
  const point: MountPoint = {
    Type: "image",
    Name: source,
    // known once the container has a key for it
    Source: "",
    Destination: target,
    Mode: "",
    RW: false,
    Propagation: "rprivate",
  };
  return {
    mount: {
      point,
      options: ["rbind", "ro", "rprivate"],
      image: { id, layers, key: "" },
      ...(subpath === undefined ? {} : { subpath }),
      copyUp: false,
      anonymous: false,
    },
  };
}

function tmpfsMount(request: MountRequest, target: string): PlannedMount {
  if (request.Source) refuse("tmpfs", "field Source must not be specified");
  const wanted = request.TmpfsOptions;
  const options = ["noexec", "nosuid", "nodev"];
  for (const [key = "", value] of wanted?.Options ?? []) {
    const plain = options.indexOf(`no${key}`);
    if (value === undefined && plain >= 0) options[plain] = key;
    else options.push(value === undefined ? key : `${key}=${value}`);
  }
  options.push(request.ReadOnly ? "ro" : "rw");
  if (wanted?.SizeBytes) options.push(`size=${wanted.SizeBytes}`);
  if (wanted?.Mode) options.push(`mode=${wanted.Mode.toString(8)}`);
  const point: MountPoint = {
    Type: "tmpfs",
    Source: "",
    Destination: target,
    Mode: "",
    RW: request.ReadOnly !== true,
    Propagation: "",
  };
  return { mount: { point, options: [], copyUp: false, anonymous: false, tmpfs: { options } } };
}
