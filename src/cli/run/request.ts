import type { ContainerConfig, ContainerCreateRequest, HostConfig, Ulimit } from "../../types/api.ts";
import { CliError } from "../errors.ts";
import type { Surroundings } from "../surroundings.ts";
import type { ContainerFlags } from "./flags.ts";
import { healthcheck } from "./healthcheck.ts";
import { pairs, readEnvFile, readLabelFile } from "./key-value-files.ts";
import { flattened, kept, mapped, orNull, sorted } from "./lists.ts";
import { checkMac, type Networking, networking } from "./networks.ts";
import { parseExpose, parsePublish, toPortMap } from "./ports.ts";
import { capabilities, securityOptions } from "./security.ts";
import { device, isCdiName, restartPolicy } from "./values.ts";
import { absoluteBind, parseVolumeSpec } from "./volumes.ts";

/** the engine's name for it: what becomes of an unhealthy container */
const onFailureAnnotation = "berth.health.on-failure";

/** The body of `POST /containers/create` that the options of `run` or `create` ask for. Throws sentences. */
export function createRequest(
  flags: ContainerFlags,
  args: readonly string[],
  changed: (key: keyof ContainerFlags & string) => boolean,
  around: Surroundings,
): ContainerCreateRequest {
  validate(flags);
  const networks = [...flags.network, ...flags.net];
  const net = networking(networks, {
    aliases: [...flags.networkAlias, ...flags.netAlias],
    links: flags.link,
    ip: flags.ip,
    ip6: flags.ip6,
    macAddress: flags.macAddress,
    linkLocalIps: flags.linkLocalIp,
  });
  const { binds, anonymous } = volumes(flags.volume, around);
  const ports = ranges(flags.publish, parsePublish, around);
  const exposed = [...ranges(flags.expose, parseExpose, around), ...mapped(ports, ({ port }) => port)];
  return {
    ...config({ flags, args, changed, around }, anonymous, exposed),
    HostConfig: { ...host(flags, net, binds, around), PortBindings: toPortMap(ports) },
    NetworkingConfig: { EndpointsConfig: net.endpoints },
  };
}

/** So many ports of a command line, each some objects, are for the memory and the time of a process of its own. */
const manyPorts = 1000;

function ranges<T>(specs: readonly string[], parse: (spec: string) => T[], around: Surroundings): T[] {
  const ports: T[] = [];
  for (const spec of specs) {
    for (const port of parse(spec)) ports.push(port);
    if (ports.length > manyPorts) around.needsProcess("so many ports");
  }
  return ports;
}

function validate(flags: ContainerFlags): void {
  checkMac(flags.macAddress);
  for (const [name, value] of [
    ["cpu-count", flags.cpuCount],
    ["cpu-percent", flags.cpuPercent],
    ["io-maxbandwidth", flags.ioMaxbandwidth],
    ["io-maxiops", flags.ioMaxiops],
  ] as const)
    if (value !== 0)
      throw new CliError(
        `"--${name}" is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux`,
      );
  const { memorySwappiness: swappiness } = flags;
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100))
    throw new Error(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  const restarts = restartPolicy(flags.restart).Name;
  if (flags.rm && restarts !== "" && restarts !== "no")
    throw new Error("conflicting options: cannot specify both --restart and --rm");
  if (flags.pid && flags.pid !== "host" && !/^container:.+$/.test(flags.pid))
    throw new Error("--pid: invalid PID mode");
  if (flags.uts && flags.uts !== "host") throw new Error("--uts: invalid UTS mode");
  if (flags.userns && flags.userns !== "host") throw new Error("--userns: invalid USER mode");
  if (flags.cgroupns && !["host", "private"].includes(flags.cgroupns))
    throw new Error("--cgroupns: invalid CGROUP mode");
  if (flags.logDriver === "none" && flags.logOpt.length > 0)
    throw new Error("invalid logging opts for driver none");
}

function volumes(specs: readonly string[], around: Surroundings): { binds: string[]; anonymous: string[] } {
  const binds: string[] = [];
  const anonymous: string[] = [];
  for (const spec of new Set(specs)) (parseVolumeSpec(spec).source ? binds : anonymous).push(spec);
  return { binds: mapped(binds, (bind) => absoluteBind(bind, around)), anonymous };
}

function asSet(names: readonly string[]): Record<string, Record<string, never>> {
  const set: Record<string, Record<string, never>> = {};
  for (const name of names) set[name] = {};
  return set;
}

interface CommandLine {
  flags: ContainerFlags;
  args: readonly string[];
  changed: (key: keyof ContainerFlags & string) => boolean;
  around: Surroundings;
}

function config(
  { flags, args, changed, around }: CommandLine,
  anonymous: string[],
  exposed: string[],
): Partial<ContainerConfig> {
  const [image = "", ...command] = args;
  const all = flags.attach.length === 0;
  const stdin = flags.attach.includes("stdin") || flags.interactive;
  const health = healthcheck(flags);
  return {
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin: stdin,
    AttachStdout: all || flags.attach.includes("stdout"),
    AttachStderr: all || flags.attach.includes("stderr"),
    ...(exposed.length > 0 ? { ExposedPorts: asSet(exposed) } : {}),
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    StdinOnce: flags.interactive && stdin,
    Env: orNull(environment(flags, around)),
    Cmd: orNull(command),
    ...(health ? { Healthcheck: health } : {}),
    Image: image,
    Volumes: asSet(anonymous),
    WorkingDir: flags.workdir,
    Entrypoint: flags.entrypoint ? [flags.entrypoint] : changed("entrypoint") ? [""] : null,
    OnBuild: null,
    Labels: pairs([...flattened(flags.labelFile, (path) => readLabelFile(path, around)), ...flags.label]),
    ...(flags.stopSignal ? { StopSignal: flags.stopSignal } : {}),
    ...(changed("stopTimeout") && flags.stopTimeout !== undefined ? { StopTimeout: flags.stopTimeout } : {}),
  };
}

/** Lines of files first, all of them; then options, of a variable given twice the last. */
function environment(flags: ContainerFlags, around: Surroundings): string[] {
  const last = new Map<string, string>();
  for (const variable of flags.env) last.set(variable.split("=", 1)[0] ?? "", variable);
  return [...flattened(flags.envFile, (path) => readEnvFile(path, around)), ...last.values()];
}

/** `--annotation`, and what travels as one. */
function annotations({ annotation, healthOnFailure, noHealthcheck }: ContainerFlags): Record<string, string> {
  if (healthOnFailure && noHealthcheck) throw new Error("--no-healthcheck conflicts with --health-* options");
  return { ...annotation, ...(healthOnFailure ? { [onFailureAnnotation]: healthOnFailure } : {}) };
}

function host(
  flags: ContainerFlags,
  net: Networking,
  binds: string[],
  around: Surroundings,
): Partial<HostConfig> {
  const security = securityOptions(flags.securityOpt, around);
  const cdi = kept(flags.device, isCdiName);
  const requests = [
    ...flags.gpus,
    ...(cdi.length > 0
      ? [{ Driver: "cdi", Count: 0, DeviceIDs: cdi, Capabilities: null, Options: null }]
      : []),
  ];
  const storage = storageOptions(flags.storageOpt);
  const annotated = annotations(flags);
  return {
    Binds: orNull(binds),
    ContainerIDFile: flags.cidfile,
    LogConfig: { Type: flags.logDriver, Config: pairs(flags.logOpt) },
    NetworkMode: net.mode,
    RestartPolicy: restartPolicy(flags.restart),
    AutoRemove: flags.rm,
    VolumeDriver: flags.volumeDriver,
    VolumesFrom: orNull(flags.volumesFrom),
    ConsoleSize: [0, 0],
    ...(Object.keys(annotated).length > 0 ? { Annotations: annotated } : {}),
    ...capabilities(flags.capAdd, flags.capDrop),
    CgroupnsMode: flags.cgroupns,
    Dns: [...flags.dns],
    DnsOptions: [...flags.dnsOption, ...flags.dnsOpt],
    DnsSearch: [...flags.dnsSearch],
    ExtraHosts: orNull(flags.addHost),
    GroupAdd: orNull(flags.groupAdd),
    IpcMode: flags.ipc,
    Cgroup: "",
    Links: orNull(flags.link),
    OomScoreAdj: flags.oomScoreAdj,
    PidMode: flags.pid,
    Privileged: flags.privileged,
    PublishAllPorts: flags.publishAll,
    ReadonlyRootfs: flags.readOnly,
    SecurityOpt: flags.securityOpt.length > 0 ? security.options : null,
    ...(storage ? { StorageOpt: storage } : {}),
    ...(flags.tmpfs.length > 0 ? { Tmpfs: tmpfs(flags.tmpfs) } : {}),
    UTSMode: flags.uts,
    UsernsMode: flags.userns,
    ShmSize: flags.shmSize,
    ...(Object.keys(flags.sysctl).length > 0 ? { Sysctls: { ...flags.sysctl } } : {}),
    ...(flags.runtime ? { Runtime: flags.runtime } : {}),
    Isolation: flags.isolation,
    ...resources(flags),
    Devices: mapped(
      kept(flags.device, (spec) => !isCdiName(spec)),
      device,
    ),
    DeviceCgroupRules: orNull(flags.deviceCgroupRule),
    DeviceRequests: requests.length > 0 ? requests : null,
    ...(flags.mount.length > 0 ? { Mounts: [...flags.mount] } : {}),
    MaskedPaths: security.unconfinedPaths ? [] : null,
    ReadonlyPaths: security.unconfinedPaths ? [] : null,
    ...(flags.init === undefined ? {} : { Init: flags.init }),
  };
}

/** Options by the folder they belong to. */
function tmpfs(specs: readonly string[]): Record<string, string> {
  const mounts: Record<string, string> = {};
  for (const spec of specs) {
    const [path = ""] = spec.split(":", 1);
    mounts[path] = spec.slice(path.length + 1);
  }
  return mounts;
}

function resources(flags: ContainerFlags): Partial<HostConfig> {
  return {
    CpuShares: flags.cpuShares,
    Memory: flags.memory,
    NanoCpus: flags.cpus,
    CgroupParent: flags.cgroupParent,
    BlkioWeight: flags.blkioWeight,
    BlkioWeightDevice: [...flags.blkioWeightDevice],
    BlkioDeviceReadBps: [...flags.deviceReadBps],
    BlkioDeviceWriteBps: [...flags.deviceWriteBps],
    BlkioDeviceReadIOps: [...flags.deviceReadIops],
    BlkioDeviceWriteIOps: [...flags.deviceWriteIops],
    CpuPeriod: flags.cpuPeriod,
    CpuQuota: flags.cpuQuota,
    CpuRealtimePeriod: flags.cpuRtPeriod,
    CpuRealtimeRuntime: flags.cpuRtRuntime,
    CpusetCpus: flags.cpusetCpus,
    CpusetMems: flags.cpusetMems,
    MemoryReservation: flags.memoryReservation,
    MemorySwap: flags.memorySwap,
    MemorySwappiness: flags.memorySwappiness,
    OomKillDisable: flags.oomKillDisable,
    PidsLimit: flags.pidsLimit,
    Ulimits: ulimits(flags.ulimit),
    CpuCount: flags.cpuCount,
    CpuPercent: flags.cpuPercent,
    IOMaximumIOps: flags.ioMaxiops,
    IOMaximumBandwidth: flags.ioMaxbandwidth,
  };
}

/** Sorted; of a limit given twice the last counts. */
function ulimits(given: readonly Ulimit[]): Ulimit[] {
  const last = new Map<string, Ulimit>();
  for (const limit of given) last.set(limit.Name, limit);
  return sorted(last.values(), (a, b) => (a.Name < b.Name ? -1 : 1));
}

function storageOptions(options: readonly string[]): Record<string, string> | undefined {
  for (const option of options) if (!option.includes("=")) throw new Error("invalid storage option");
  return options.length > 0 ? pairs(options) : undefined;
}
