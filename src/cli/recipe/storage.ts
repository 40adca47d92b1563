import type { ContainerInspect, MountRequest } from "../../types/api.ts";
import type { ImageRunConfig } from "../../types/oci.ts";
import { each, given, type Option, pairs } from "./option.ts";

/** Volumes, binds and what lies in memory. */
export function storage({ Config, HostConfig: host }: ContainerInspect, image: ImageRunConfig): Option[] {
  const anonymous = Object.keys(Config.Volumes ?? {}).filter(
    (path) => !image.Volumes || !(path in image.Volumes),
  );
  const tmpfs = Object.entries(host.Tmpfs ?? {}).map(([path, options]) =>
    options ? `${path}:${options}` : path,
  );
  return [
    ...each("--volume", "volumes", host.Binds),
    ...each("--volume", "volumes", anonymous),
    ...(host.Mounts ?? []).map(mount),
    ...each("--tmpfs", "tmpfs", tmpfs),
    ...each("--volumes-from", "volumes_from", host.VolumesFrom),
    ...given("--volume-driver", "", host.VolumeDriver),
    ...pairs("--storage-opt", "storage_opt", host.StorageOpt),
    ...given("--shm-size", "shm_size", host.ShmSize === standardShm ? 0 : host.ShmSize),
  ];
}

const standardShm = 64 * 1024 * 1024;

/** `--mount` as a record of keys; in compose the short form says the same of all but its finer points. */
function mount(request: MountRequest): Option {
  const { Source = "", Target, ReadOnly = false } = request;
  const value = [`type=${request.Type}`, ...(Source ? [`source=${Source}`] : []), `target=${Target}`]
    .concat(ReadOnly ? ["readonly"] : [], details(request))
    .map(csvField)
    .join(",");
  const suffix = ReadOnly ? ":ro" : "";
  return request.Type === "tmpfs"
    ? { flag: "--mount", value, key: "tmpfs", composed: [`${Target}${memoryOptions(request)}`] }
    : {
        flag: "--mount",
        value,
        key: "volumes",
        composed: [`${Source ? `${Source}:` : ""}${Target}${suffix}`],
      };
}

function memoryOptions({ TmpfsOptions: options }: MountRequest): string {
  const words = [
    ...(options?.SizeBytes ? [`size=${options.SizeBytes}`] : []),
    ...(options?.Mode ? [`mode=${options.Mode.toString(8)}`] : []),
  ];
  return words.length > 0 ? `:${words.join(",")}` : "";
}

function details({
  BindOptions: bind,
  VolumeOptions: volume,
  TmpfsOptions: tmpfs,
  ...rest
}: MountRequest): string[] {
  const recursion = bind?.NonRecursive
    ? "disabled"
    : bind?.ReadOnlyNonRecursive
      ? "writable"
      : bind?.ReadOnlyForceRecursive
        ? "readonly"
        : "";
  const fields: [string, string | number | undefined][] = [
    ["bind-propagation", bind?.Propagation],
    ["bind-recursive", recursion],
    ["idmap", bind?.IdMap],
    ["bind-create-src", bind?.CreateMountpoint ? "true" : ""],
    ["volume-nocopy", volume?.NoCopy ? "true" : ""],
    ["volume-subpath", volume?.Subpath],
    ["volume-driver", volume?.DriverConfig?.Name],
    ...Object.entries(volume?.Labels ?? {}).map(
      ([key, text]) => ["volume-label", `${key}=${text}`] as [string, string],
    ),
    ...Object.entries(volume?.DriverConfig?.Options ?? {}).map(
      ([key, text]) => ["volume-opt", `${key}=${text}`] as [string, string],
    ),
    ["tmpfs-size", tmpfs?.SizeBytes],
    ["tmpfs-mode", tmpfs?.Mode?.toString(8)],
    ["image-subpath", rest.ImageOptions?.Subpath],
    ["consistency", rest.Consistency],
  ];
  return fields.flatMap(([key, value]) => (value ? [`${key}=${value}`] : []));
}

/** RFC 4180. */
const csvField = (field: string): string =>
  /[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
