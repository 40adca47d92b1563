import { EngineError } from "../../lib/errors.ts";
import type {
  ContainerConfig,
  EndpointSettings,
  HealthConfig,
  HostConfig,
  MountRequest,
  PortBinding,
  PortMap,
  RestartPolicy,
} from "../../types/api.ts";
import {
  emptyObject,
  flag,
  integer,
  list,
  map,
  nullable,
  object,
  optional,
  pointer,
  type Reader,
  text,
  words,
} from "./decode.ts";

/** The body of `POST /containers/create`, read and complete: what each field is where nothing was said. */
export interface CreateBody {
  config: ContainerConfig;
  hostConfig: HostConfig;
  endpoints: Record<string, Partial<EndpointSettings> | null>;
}

const strings = list(text);
const stringMap = map(text);
const setMap = map(emptyObject, "map[string]struct {}");
const isEach = (value: unknown): boolean => (value as { Each?: unknown } | null)?.Each === true;
/** runs come from the API's folding alone (`lib/net/port-runs.ts`): of what clients say it lets no `Each` through */
const exposed: Reader<{ Each?: true }> = (value, path) =>
  isEach(value) ? { Each: true } : emptyObject(value, path);
const filled =
  <T>(reader: Reader<T | null>, empty: T): Reader<T> =>
  (value, path) =>
    reader(value, path) ?? empty;

const health = object<HealthConfig>(
  {
    Test: optional(filled(strings, [])),
    Interval: optional(integer),
    Timeout: optional(integer),
    StartPeriod: optional(integer),
    StartInterval: optional(integer),
    Retries: optional(integer),
  },
  "container.HealthConfig",
);

const config = object<ContainerConfig>(
  {
    Hostname: text,
    Domainname: text,
    User: text,
    AttachStdin: flag,
    AttachStdout: flag,
    AttachStderr: flag,
    ExposedPorts: optional(filled(map(exposed, "map[string]struct {}"), {})),
    Tty: flag,
    OpenStdin: flag,
    StdinOnce: flag,
    Env: strings,
    Cmd: words,
    Healthcheck: pointer(health),
    ArgsEscaped: optional(flag),
    Image: text,
    Volumes: setMap,
    WorkingDir: text,
    Entrypoint: words,
    NetworkDisabled: optional(flag),
    MacAddress: optional(text),
    OnBuild: strings,
    Labels: filled(stringMap, {}),
    StopSignal: optional(text),
    StopTimeout: pointer(integer),
    Shell: optional(filled(words, [])),
  },
  "container.CreateRequest",
);

const portMap: Reader<PortMap | null> = map(
  list(
    object<PortBinding>(
      { HostIp: text, HostPort: text, Each: optional(flag as Reader<true>) },
      "nat.PortBinding",
    ),
    "[]nat.PortBinding",
  ),
  "nat.PortMap",
);

const throttle = list(
  object({ Path: text, Rate: integer }, "blkiodev.ThrottleDevice"),
  "[]*blkiodev.ThrottleDevice",
);

const mount = object<MountRequest>(
  {
    Type: text as Reader<MountRequest["Type"]>,
    Source: optional(text),
    Target: text,
    ReadOnly: optional(flag),
    Consistency: optional(text),
    BindOptions: pointer(
      object<NonNullable<MountRequest["BindOptions"]>>(
        {
          Propagation: optional(text),
          NonRecursive: optional(flag),
          CreateMountpoint: optional(flag),
          ReadOnlyNonRecursive: optional(flag),
          ReadOnlyForceRecursive: optional(flag),
          IdMap: optional(text),
        },
        "mount.BindOptions",
      ),
    ),
    VolumeOptions: pointer(
      object<NonNullable<MountRequest["VolumeOptions"]>>(
        {
          NoCopy: optional(flag),
          Labels: optional(filled(stringMap, {})),
          Subpath: optional(text),
          DriverConfig: pointer(
            object<{ Name?: string; Options?: Record<string, string> }>(
              { Name: optional(text), Options: optional(filled(stringMap, {})) },
              "mount.Driver",
            ),
          ),
        },
        "mount.VolumeOptions",
      ),
    ),
    TmpfsOptions: pointer(
      object<NonNullable<MountRequest["TmpfsOptions"]>>(
        {
          SizeBytes: optional(integer),
          Mode: optional(integer),
          Options: optional(filled(list(filled(strings, []), "[][]string"), [])),
        },
        "mount.TmpfsOptions",
      ),
    ),
    ImageOptions: pointer(object<{ Subpath?: string }>({ Subpath: optional(text) }, "mount.ImageOptions")),
  },
  "mount.Mount",
);

const consoleSize: Reader<[number, number]> = (value, path) => {
  const read = list(integer, "[2]uint")(value, path) ?? [];
  return [read[0] ?? 0, read[1] ?? 0];
};

const hostConfig = object<HostConfig>(
  {
    Binds: strings,
    ContainerIDFile: text,
    LogConfig: object({ Type: text, Config: filled(stringMap, {}) }, "container.LogConfig"),
    NetworkMode: text,
    PortBindings: portMap,
    RestartPolicy: object<RestartPolicy>(
      { Name: text as Reader<RestartPolicy["Name"]>, MaximumRetryCount: integer },
      "container.RestartPolicy",
    ),
    AutoRemove: flag,
    VolumeDriver: text,
    VolumesFrom: strings,
    ConsoleSize: consoleSize,
    Annotations: optional(filled(stringMap, {})),
    CapAdd: words,
    CapDrop: words,
    CgroupnsMode: text,
    Dns: strings,
    DnsOptions: strings,
    DnsSearch: strings,
    ExtraHosts: strings,
    GroupAdd: strings,
    IpcMode: text,
    Cgroup: text,
    Links: strings,
    OomScoreAdj: integer,
    PidMode: text,
    Privileged: flag,
    PublishAllPorts: flag,
    ReadonlyRootfs: flag,
    SecurityOpt: strings,
    StorageOpt: optional(filled(stringMap, {})),
    Tmpfs: optional(filled(stringMap, {})),
    UTSMode: text,
    UsernsMode: text,
    ShmSize: integer,
    Sysctls: optional(filled(stringMap, {})),
    Runtime: text,
    Isolation: text,
    CpuShares: integer,
    Memory: integer,
    NanoCpus: integer,
    CgroupParent: text,
    BlkioWeight: integer,
    BlkioWeightDevice: list(
      object({ Path: text, Weight: integer }, "blkiodev.WeightDevice"),
      "[]*blkiodev.WeightDevice",
    ),
    BlkioDeviceReadBps: throttle,
    BlkioDeviceWriteBps: throttle,
    BlkioDeviceReadIOps: throttle,
    BlkioDeviceWriteIOps: throttle,
    CpuPeriod: integer,
    CpuQuota: integer,
    CpuRealtimePeriod: integer,
    CpuRealtimeRuntime: integer,
    CpusetCpus: text,
    CpusetMems: text,
    Devices: list(
      object({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text }, "container.DeviceMapping"),
      "[]container.DeviceMapping",
    ),
    DeviceCgroupRules: strings,
    DeviceRequests: list(
      object(
        {
          Driver: text,
          Count: integer,
          DeviceIDs: strings,
          Capabilities: list(filled(strings, []), "[][]string"),
          Options: stringMap,
        },
        "container.DeviceRequest",
      ),
      "[]container.DeviceRequest",
    ),
    MemoryReservation: integer,
    MemorySwap: integer,
    MemorySwappiness: nullable(integer),
    OomKillDisable: nullable(flag),
    PidsLimit: nullable(integer),
    Ulimits: list(object({ Name: text, Hard: integer, Soft: integer }, "units.Ulimit"), "[]*units.Ulimit"),
    CpuCount: integer,
    CpuPercent: integer,
    IOMaximumIOps: integer,
    IOMaximumBandwidth: integer,
    Mounts: optional(filled(list(mount, "[]mount.Mount"), [])),
    MaskedPaths: strings,
    ReadonlyPaths: strings,
    Init: pointer(flag),
  },
  "container.HostConfig",
);

const endpoint = object<Partial<EndpointSettings>>(
  {
    IPAMConfig: nullable(
      object(
        {
          IPv4Address: optional(text),
          IPv6Address: optional(text),
          LinkLocalIPs: optional(filled(strings, [])),
        },
        "network.EndpointIPAMConfig",
      ),
    ),
    Links: strings,
    Aliases: strings,
    MacAddress: text,
    DriverOpts: stringMap,
    GwPriority: integer,
    NetworkID: text,
    EndpointID: text,
    Gateway: text,
    IPAddress: text,
    IPPrefixLen: integer,
    IPv6Gateway: text,
    GlobalIPv6Address: text,
    GlobalIPv6PrefixLen: integer,
    DNSNames: strings,
  },
  "network.EndpointSettings",
);

const outer = object<{
  HostConfig: unknown;
  NetworkingConfig: { EndpointsConfig: Record<string, Partial<EndpointSettings> | null> };
}>(
  {
    HostConfig: (value) => value,
    NetworkingConfig: object(
      { EndpointsConfig: filled(map(nullable(endpoint), "map[string]*network.EndpointSettings"), {}) },
      "network.NetworkingConfig",
    ),
  },
  "container.CreateRequest",
);

const knownConfigKeys = new Set(Object.keys(config({}, "")).map((key) => key.toLowerCase()));
for (const key of [
  "exposedports",
  "healthcheck",
  "argsescaped",
  "networkdisabled",
  "macaddress",
  "stopsignal",
])
  knownConfigKeys.add(key);
for (const key of ["stoptimeout", "shell"]) knownConfigKeys.add(key);

/** Reads a request's body. Throws `invalid` in Docker's words for wrong types and for a body without a config. */
export function readBody(body: unknown): CreateBody {
  const parts = outer(body, "");
  const keys = Object.keys((body ?? {}) as object);
  if (!keys.some((key) => knownConfigKeys.has(key.toLowerCase())))
    throw new EngineError("invalid", "config cannot be empty in order to create a container");
  return {
    config: config(body, ""),
    hostConfig: hostConfig(parts.HostConfig, ".HostConfig"),
    endpoints: parts.NetworkingConfig.EndpointsConfig,
  };
}

/** A container's configuration by itself, completed with what is empty. */
export const readConfig = (body: unknown): ContainerConfig => config(body, "");

export { hostConfig as readHostConfig };
