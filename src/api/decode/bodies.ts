import {
  array,
  bool,
  duration,
  empty,
  fileMode,
  int,
  int64,
  list,
  map,
  object,
  string,
  stringMap,
  strings,
  text,
  uint,
  uint16,
  uint64,
  words,
} from "../../lib/go/json/shape.ts";

/** The shape of every JSON body the API takes, with the names that Docker's engine gives their types. */

const healthcheck = object("v1.HealthcheckConfig", {
  Test: strings,
  Interval: duration,
  Timeout: duration,
  StartPeriod: duration,
  StartInterval: duration,
  Retries: int,
});

const containerConfig = {
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  ExposedPorts: map(empty, "nat.PortSet"),
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: strings,
  Cmd: words,
  Healthcheck: healthcheck,
  ArgsEscaped: bool,
  Image: string,
  Volumes: map(empty),
  WorkingDir: string,
  Entrypoint: words,
  NetworkDisabled: bool,
  MacAddress: string,
  OnBuild: strings,
  Labels: stringMap,
  StopSignal: string,
  StopTimeout: int,
  Shell: words,
};

const weightDevice = object("blkiodev.WeightDevice", { Path: string, Weight: uint16 });
const throttleDevice = object("blkiodev.ThrottleDevice", { Path: string, Rate: uint64 });
const throttleDevices = list(throttleDevice, "[]*blkiodev.ThrottleDevice");
const ulimits = list(object("units.Ulimit", { Name: string, Soft: int64, Hard: int64 }), "[]*units.Ulimit");

/** Limits that both `create` and `update` take. */
const resources = {
  CpuShares: int64,
  Memory: int64,
  NanoCpus: int64,
  CgroupParent: string,
  BlkioWeight: uint16,
  BlkioWeightDevice: list(weightDevice, "[]*blkiodev.WeightDevice"),
  BlkioDeviceReadBps: throttleDevices,
  BlkioDeviceWriteBps: throttleDevices,
  BlkioDeviceReadIOps: throttleDevices,
  BlkioDeviceWriteIOps: throttleDevices,
  CpuPeriod: int64,
  CpuQuota: int64,
  CpuRealtimePeriod: int64,
  CpuRealtimeRuntime: int64,
  CpusetCpus: string,
  CpusetMems: string,
  Devices: list(
    object("container.DeviceMapping", {
      PathOnHost: string,
      PathInContainer: string,
      CgroupPermissions: string,
    }),
  ),
  DeviceCgroupRules: strings,
  DeviceRequests: list(
    object("container.DeviceRequest", {
      Driver: string,
      Count: int,
      DeviceIDs: strings,
      Capabilities: list(strings),
      Options: stringMap,
    }),
  ),
  MemoryReservation: int64,
  MemorySwap: int64,
  MemorySwappiness: int64,
  OomKillDisable: bool,
  PidsLimit: int64,
  Ulimits: ulimits,
  CpuCount: int64,
  CpuPercent: int64,
  IOMaximumIOps: uint64,
  IOMaximumBandwidth: uint64,
};

const restartPolicy = object("container.RestartPolicy", {
  Name: text("container.RestartPolicyMode"),
  MaximumRetryCount: int,
});

const mount = object("mount.Mount", {
  Type: text("mount.Type"),
  Source: string,
  Target: string,
  ReadOnly: bool,
  Consistency: text("mount.Consistency"),
  BindOptions: object("mount.BindOptions", {
    Propagation: text("mount.Propagation"),
    NonRecursive: bool,
    CreateMountpoint: bool,
    ReadOnlyNonRecursive: bool,
    ReadOnlyForceRecursive: bool,
    IdMap: string,
  }),
  VolumeOptions: object("mount.VolumeOptions", {
    NoCopy: bool,
    Labels: stringMap,
    Subpath: string,
    DriverConfig: object("mount.Driver", { Name: string, Options: stringMap }),
  }),
  ImageOptions: object("mount.ImageOptions", { Subpath: string }),
  TmpfsOptions: object("mount.TmpfsOptions", { SizeBytes: int64, Mode: fileMode, Options: list(strings) }),
});

const hostConfig = object("container.HostConfig", {
  ...resources,
  Binds: strings,
  ContainerIDFile: string,
  LogConfig: object("container.LogConfig", { Type: string, Config: stringMap }),
  NetworkMode: text("container.NetworkMode"),
  PortBindings: map(list(object("nat.PortBinding", { HostIp: string, HostPort: string })), "nat.PortMap"),
  RestartPolicy: restartPolicy,
  AutoRemove: bool,
  VolumeDriver: string,
  VolumesFrom: strings,
  ConsoleSize: array(uint, 2),
  Annotations: stringMap,
  CapAdd: words,
  CapDrop: words,
  CgroupnsMode: text("container.CgroupnsMode"),
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: text("container.IpcMode"),
  Cgroup: text("container.CgroupSpec"),
  Links: strings,
  OomScoreAdj: int,
  PidMode: text("container.PidMode"),
  Privileged: bool,
  PublishAllPorts: bool,
  ReadonlyRootfs: bool,
  SecurityOpt: strings,
  StorageOpt: stringMap,
  Tmpfs: stringMap,
  UTSMode: text("container.UTSMode"),
  UsernsMode: text("container.UsernsMode"),
  ShmSize: int64,
  Sysctls: stringMap,
  Runtime: string,
  Isolation: text("container.Isolation"),
  Mounts: list(mount),
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: bool,
});

const endpointSettings = object("network.EndpointSettings", {
  IPAMConfig: object("network.EndpointIPAMConfig", {
    IPv4Address: string,
    IPv6Address: string,
    LinkLocalIPs: strings,
  }),
  Links: strings,
  Aliases: strings,
  MacAddress: string,
  DriverOpts: stringMap,
  GwPriority: int,
  NetworkID: string,
  EndpointID: string,
  Gateway: string,
  IPAddress: string,
  IPPrefixLen: int,
  IPv6Gateway: string,
  GlobalIPv6Address: string,
  GlobalIPv6PrefixLen: int,
  DNSNames: strings,
});

export const containerConfigKeys: readonly string[] = Object.keys(containerConfig);

export const containerCreate = object("container.CreateRequest", {
  ...containerConfig,
  HostConfig: hostConfig,
  NetworkingConfig: object("network.NetworkingConfig", {
    EndpointsConfig: map(endpointSettings, "map[string]*network.EndpointSettings"),
  }),
});

export const containerUpdate = object("container.UpdateConfig", {
  ...resources,
  RestartPolicy: restartPolicy,
});

/** `POST /berth/containers/{id}/copy`, our own: a file or folder of this machine. */
export const localCopy = object("LocalCopy", {
  Path: string,
  Source: string,
  Name: string,
  DeviceMajor: int,
  DeviceMinor: int,
  Inode: string,
  MountNamespace: string,
  NoOverwriteDirNonDir: bool,
  CopyUIDGID: bool,
});

/** Our own: `reconfigure`. What is added is written as in a create. */
export const containerChange = object("Change", {
  PortsRemove: strings,
  EnvAdd: strings,
  EnvRemove: strings,
  MountsRemove: strings,
  HostConfig: hostConfig,
});

export const execCreate = object("container.ExecOptions", {
  User: string,
  Privileged: bool,
  Tty: bool,
  ConsoleSize: array(uint, 2),
  AttachStdin: bool,
  AttachStderr: bool,
  AttachStdout: bool,
  DetachKeys: string,
  Env: strings,
  WorkingDir: string,
  Cmd: strings,
  Stopped: bool,
});

export const execStart = object("container.ExecStartOptions", {
  Detach: bool,
  Tty: bool,
  ConsoleSize: array(uint, 2),
});

export const volumeCreate = object("volume.CreateOptions", {
  ClusterVolumeSpec: object("volume.ClusterVolumeSpec", {}),
  Driver: string,
  DriverOpts: stringMap,
  Labels: stringMap,
  Name: string,
});

export const networkCreate = object("network.CreateRequest", {
  Name: string,
  CheckDuplicate: bool,
  Driver: string,
  Scope: string,
  EnableIPv4: bool,
  EnableIPv6: bool,
  IPAM: object("network.IPAM", {
    Driver: string,
    Options: stringMap,
    Config: list(
      object("network.IPAMConfig", {
        Subnet: string,
        IPRange: string,
        Gateway: string,
        AuxiliaryAddresses: stringMap,
      }),
    ),
  }),
  Internal: bool,
  Attachable: bool,
  Ingress: bool,
  ConfigOnly: bool,
  ConfigFrom: object("network.ConfigReference", { Network: string }),
  Options: stringMap,
  Labels: stringMap,
});

export const networkConnect = object("network.ConnectOptions", {
  Container: string,
  EndpointConfig: endpointSettings,
});

export const networkDisconnect = object("network.DisconnectOptions", { Container: string, Force: bool });
