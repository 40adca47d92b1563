/** The options `run` and `create` share. */
import type { DeviceRequest, MountRequest, ThrottleDevice, Ulimit } from "../../types/api.ts";
import { platform } from "../flags/common.ts";
import {
  bool,
  custom,
  type Flag,
  type FlagValues,
  int,
  list,
  map,
  maybeBool,
  maybeInt,
  string,
  uint,
} from "../flags/flag.ts";
import type { Surroundings } from "../surroundings.ts";
import { parseMount } from "./mounts.ts";
import { type NetworkAttachment, parseNetwork } from "./networks.ts";
import * as value from "./values.ts";

const size = (names: string, usage: string, parse = value.bytes): Flag<number> =>
  custom(names, "bytes", usage, 0, (_current, text) => parse(text));
const duration = (names: string, usage: string): Flag<number> =>
  custom(names, "duration", usage, 0, (_current, text) => value.duration(text), { shownDefault: "0s" });
export const many = <T>(
  names: string,
  type: string,
  usage: string,
  parse: (text: string, around: Surroundings) => T,
): Flag<readonly T[]> =>
  custom<readonly T[]>(names, type, usage, [], (current, text, around) => [...current, parse(text, around)]);
const throttle = (
  names: string,
  usage: string,
  parse: (text: string) => ThrottleDevice,
): Flag<readonly ThrottleDevice[]> => many(names, "list", usage, parse);

const processFlags = {
  attach: list("attach,a", "Attach to stdin, stdout or stderr", value.stream),
  cgroupParent: string("cgroup-parent", "Parent of the container's cgroup"),
  cgroupns: string("cgroupns", "Cgroup namespace: host or private"),
  domainname: string("domainname", "NIS domain name"),
  entrypoint: string("entrypoint", "Program to run in place of the image's entrypoint"),
  env: list("env,e", "Set environment variables", value.environmentVariable),
  envFile: list("env-file", "Read environment variables from a file"),
  groupAdd: list("group-add", "Further groups of the process"),
  hostname: string("hostname,h", "Host name"),
  init: maybeBool("init", "Run an init process that forwards signals and reaps processes"),
  interactive: bool("interactive,i", "Keep stdin open even when not attached"),
  ipc: string("ipc", "IPC namespace"),
  isolation: string("isolation", "Isolation technology"),
  oomKillDisable: bool("oom-kill-disable", "Do not kill the container when memory runs out"),
  oomScoreAdj: int("oom-score-adj", "How readily the kernel kills it when memory runs out (-1000 to 1000)"),
  pid: string("pid", "PID namespace"),
  privileged: bool("privileged", "Give the container nearly all rights of the host"),
  readOnly: bool("read-only", "Mount the root file system read-only"),
  restart: string("restart", "When to start it again after it ended", "no"),
  runtime: string("runtime", "OCI runtime to use"),
  securityOpt: list("security-opt", "Security options"),
  stopSignal: string("stop-signal", "Signal that stops the container"),
  stopTimeout: maybeInt("stop-timeout", "Seconds to wait before it is killed"),
  sysctl: map("sysctl", "Kernel parameters", value.sysctl),
  tty: bool("tty,t", "Give the process a terminal"),
  ulimit: many<Ulimit>("ulimit", "ulimit", "Resource limits", value.ulimit),
  user: string("user,u", "User to run as: name or uid, and optionally group (<name|uid>[:<group|gid>])"),
  userns: string("userns", "User namespace"),
  uts: string("uts", "UTS namespace"),
  workdir: string("workdir,w", "Working directory"),
  capAdd: list("cap-add", "Add Linux capabilities"),
  capDrop: list("cap-drop", "Drop Linux capabilities"),
};

const storageFlags = {
  mount: many<MountRequest>("mount", "mount", "Attach a file system", parseMount),
  shmSize: size("shm-size", "Size of /dev/shm"),
  storageOpt: list("storage-opt", "Options of the storage driver"),
  tmpfs: list("tmpfs", "Mount a file system in memory"),
  volume: list("volume,v", "Bind a folder or a volume (SRC:DST[:OPTIONS])"),
  volumeDriver: string("volume-driver", "Driver of the volumes"),
  volumesFrom: list("volumes-from", "Mount the volumes of another container"),
  useApiSocket: bool("use-api-socket", "Bind the engine's socket, and the registry logins"),
};

const networkFlags = {
  addHost: list("add-host", "Add a line to /etc/hosts (host:ip)", value.extraHost),
  dns: list("dns", "DNS servers", value.ipAddress),
  dnsOpt: list("dns-opt", "DNS options", undefined, { hidden: true }),
  dnsOption: list("dns-option", "DNS options"),
  dnsSearch: list("dns-search", "DNS search domains", value.dnsSearch),
  expose: list("expose", "Expose a port or a range of ports"),
  ip: string("ip", "IPv4 address (e.g. 172.30.100.104)"),
  ip6: string("ip6", "IPv6 address (e.g. 2001:db8::33)"),
  link: list("link", "Link to another container", value.link),
  linkLocalIp: list("link-local-ip", "Link-local addresses"),
  macAddress: string("mac-address", "MAC address (e.g. 92:d0:c6:0a:29:33)"),
  network: many<NetworkAttachment>("network", "network", "Connect to a network", parseNetwork),
  net: many<NetworkAttachment>("net", "network", "Connect to a network", parseNetwork) as Flag<
    readonly NetworkAttachment[]
  > & { hidden?: boolean },
  networkAlias: list("network-alias", "Further names on the network"),
  netAlias: list("net-alias", "Further names on the network", undefined, { hidden: true }),
  publish: list("publish,p", "Publish ports to the host ([IP:][HOST:]CONTAINER[/PROTOCOL])"),
  publishAll: bool("publish-all,P", "Publish all exposed ports to ports of the engine's choice"),
};

/** Limits that a container may get another of. */
export const updatableLimits = {
  blkioWeight: uint("blkio-weight", "Block I/O weight, between 10 and 1000, or 0 for none", "uint16", 16, {
    shownDefault: "0",
  }),
  cpuPeriod: int("cpu-period", "Length of the scheduler's period, in microseconds"),
  cpuQuota: int("cpu-quota", "Processor time in a period, in microseconds"),
  cpuRtPeriod: int("cpu-rt-period", "Length of the real-time period, in microseconds"),
  cpuRtRuntime: int("cpu-rt-runtime", "Real-time processor time in a period, in microseconds"),
  cpuShares: int("cpu-shares,c", "Processor shares (relative weight)"),
  cpus: custom("cpus", "decimal", "Number of processors", 0, (_current: number, text) =>
    value.nanoCpus(text),
  ),
  cpusetCpus: string("cpuset-cpus", "Processors it may run on (0-3, 0,1)"),
  cpusetMems: string("cpuset-mems", "Memory nodes it may use (0-3, 0,1)"),
  kernelMemory: { ...size("kernel-memory", "Kernel memory limit"), hidden: true },
  memory: size("memory,m", "Memory limit"),
  memoryReservation: size("memory-reservation", "Soft memory limit"),
  memorySwap: size(
    "memory-swap",
    "Limit of memory and swap together; -1 for no limit on swap",
    value.bytesOrUnlimited,
  ),
  pidsLimit: int("pids-limit", "Limit of processes (-1 for none)"),
};

const limitFlags = {
  ...updatableLimits,
  blkioWeightDevice: many("blkio-weight-device", "list", "Block I/O weight of a device", value.weightDevice),
  cpuCount: int("cpu-count", "Number of processors (Windows only)", 0, { hidden: true }),
  cpuPercent: int("cpu-percent", "Share of the processors (Windows only)", 0, { hidden: true }),
  deviceReadBps: throttle(
    "device-read-bps",
    "Limit reading from a device, in bytes a second",
    value.throttleBps,
  ),
  deviceReadIops: throttle(
    "device-read-iops",
    "Limit reading from a device, in operations a second",
    value.throttleIops,
  ),
  deviceWriteBps: throttle(
    "device-write-bps",
    "Limit writing to a device, in bytes a second",
    value.throttleBps,
  ),
  deviceWriteIops: throttle(
    "device-write-iops",
    "Limit writing to a device, in operations a second",
    value.throttleIops,
  ),
  ioMaxbandwidth: { ...size("io-maxbandwidth", "I/O limit (Windows only)"), hidden: true },
  ioMaxiops: uint("io-maxiops", "I/O limit (Windows only)", "uint", 64, { hidden: true }),
  memorySwappiness: int("memory-swappiness", "How readily its memory is swapped out (0 to 100)", -1),
};

const deviceFlags = {
  device: list("device", "Add a device of the host (SRC[:DST[:rwm]])"),
  deviceCgroupRule: list(
    "device-cgroup-rule",
    "Add a rule to the list of allowed devices",
    value.deviceCgroupRule,
  ),
  gpus: many<DeviceRequest>(
    "gpus",
    "gpu-request",
    "Graphics processors to add ('all' for all of them)",
    value.gpuRequest,
  ),
};

const healthFlags = {
  healthCmd: string("health-cmd", "Command that checks the container's health"),
  healthHttp: string(
    "health-http",
    "Check by HTTP from outside: [PORT]/PATH answers with a status below 400",
  ),
  healthInterval: duration("health-interval", "Time between checks (ms|s|m|h)"),
  healthLog: string("health-log", "Healthy once a line of its log matches this regular expression"),
  healthOnFailure: string(
    "health-on-failure",
    'What to do once it is unhealthy ("none", "restart", "stop", "kill")',
  ),
  healthRetries: int("health-retries", "Failures in a row until it counts as unhealthy"),
  healthStartInterval: duration("health-start-interval", "Time between checks while it starts (ms|s|m|h)"),
  healthStartPeriod: duration(
    "health-start-period",
    "Time to start, in which failures do not count (ms|s|m|h)",
  ),
  healthTcp: string("health-tcp", "Check from outside that this port takes connections"),
  healthTimeout: duration("health-timeout", "Time one check may take (ms|s|m|h)"),
  noHealthcheck: bool("no-healthcheck", "Leave out the image's health check"),
};

const metaFlags = {
  annotation: map("annotation", "Add an annotation, passed on to the OCI runtime"),
  cidfile: string("cidfile", "Write the container's id to a file"),
  disableContentTrust: bool("disable-content-trust", "Skip verification of the image", true, {
    hidden: true,
  }),
  label: list("label,l", "Set labels", value.label),
  labelFile: list("label-file", "Read labels from a file"),
  logDriver: string("log-driver", "Log driver"),
  logOpt: list("log-opt", "Options of the log driver"),
  name: string("name", "Name of the container"),
  platform: platform("Platform of the image, where the engine has several"),
  pull: string("pull", 'Pull the image first ("always", "missing", "never")', "missing"),
  quiet: bool("quiet,q", "Do not show the progress of a pull"),
  rm: bool("rm", "Remove the container and its anonymous volumes when it ends"),
};

export const containerFlags = {
  ...processFlags,
  ...storageFlags,
  ...networkFlags,
  ...limitFlags,
  ...deviceFlags,
  ...healthFlags,
  ...metaFlags,
};

export type ContainerFlags = FlagValues<typeof containerFlags>;
