import { availableParallelism, hostname, machine, release, totalmem } from "node:os";
import { basename } from "node:path";
import type { Containers } from "../../containers/contract.ts";
import { loopbackNetworks } from "../../distribution/hosts/insecure.ts";
import type { Images } from "../../images/contract.ts";
import { formatNs, nowNs } from "../../lib/time/time.ts";
import type { RuntimeFacts } from "../../runtime/contract.ts";
import { logPlugins } from "../../runtime/log-drivers/options.ts";
import { hasApparmor } from "../../runtime/security/apparmor.ts";
import type { Snapshots } from "../../snapshots/contract.ts";
import type { EventBus } from "../../state/events.ts";
import type { SystemInfo } from "../../types/system.ts";
import type { Volumes } from "../../volumes/contract.ts";
import type { EngineConfig } from "../config/config.ts";
import { serverVersion } from "./build-info.ts";
import {
  isIpForwarding,
  type LimitFacts,
  limitFacts,
  limitWarnings,
  openDescriptors,
  operatingSystem,
  threadCount,
} from "./host-facts.ts";

interface InfoSources {
  /** UUID of this engine */
  id: string;
  config: () => EngineConfig;
  initPath: string | undefined;
  containers: Containers;
  images: Images;
  snapshots: Snapshots;
  volumes: Volumes;
  events: EventBus;
  runtime: RuntimeFacts;
  /** containers are in user namespaces of their own */
  remapped: boolean;
}

/** `GET /info`: the fixed part is read from the host once. */
export class InfoReporter {
  private readonly sources: InfoSources;
  private readonly limits: LimitFacts;
  private readonly system = operatingSystem();

  constructor(sources: InfoSources) {
    this.sources = sources;
    this.limits = limitFacts(sources.runtime.cgroupLayout);
  }

  read(): SystemInfo {
    const { id, containers, images, snapshots, events } = this.sources;
    const config = this.sources.config();
    const counts = containers.counts();
    const forwarding = isIpForwarding();
    const warnings = [
      ...limitWarnings(this.limits, forwarding),
      ...this.sources.runtime.warnings.map((text) => `WARNING: ${text}`),
    ];
    return {
      ID: id,
      Containers: counts.total,
      ContainersRunning: counts.running,
      ContainersPaused: counts.paused,
      ContainersStopped: counts.stopped,
      Images: images.count(),
      Driver: snapshots.driver,
      DriverStatus: snapshots.driverStatus,
      Plugins: {
        Volume: ["local", ...this.sources.volumes.pluginNames()],
        Network: ["bridge", "host", "ipvlan", "macvlan", "null"],
        Authorization: null,
        Log: [...logPlugins],
      },
      ...this.limitKeys(),
      IPv4Forwarding: forwarding,
      Debug: config.debug,
      NFd: openDescriptors(),
      OomKillDisable: this.limits.oomKillDisable,
      NGoroutines: threadCount(),
      SystemTime: formatNs(nowNs()),
      LoggingDriver: config.logDriver,
      CgroupDriver: "cgroupfs",
      CgroupVersion: this.sources.runtime.cgroupVersion,
      NEventsListener: events.listenerCount,
      ...this.hostKeys(),
      ...registryKeys(config),
      GenericResources: null,
      DockerRootDir: config.dataRoot,
      ...proxyKeys(config),
      Labels: [...config.labels],
      ExperimentalBuild: false,
      ServerVersion: serverVersion,
      ...this.runtimeKeys(config),
      Swarm: noSwarm,
      LiveRestoreEnabled: config.liveRestore,
      Isolation: "",
      SecurityOptions: this.securityOptions(config),
      FirewallBackend: { Driver: "nftables" },
      CDISpecDirs: [...config.cdiSpecDirs],
      Containerd: { Address: "", Namespaces: { Containers: "", Plugins: "" } },
      Warnings: warnings.length > 0 ? warnings : null,
    };
  }

  private limitKeys() {
    const { limits } = this;
    return {
      MemoryLimit: limits.memory,
      SwapLimit: limits.swap,
      ...(limits.kernelMemoryTcp ? { KernelMemoryTCP: true } : {}),
      CpuCfsPeriod: limits.cpuPeriod,
      CpuCfsQuota: limits.cpuQuota,
      CPUShares: limits.cpuShares,
      CPUSet: limits.cpuset,
      PidsLimit: limits.pids,
    };
  }

  private hostKeys() {
    return {
      KernelVersion: release(),
      OperatingSystem: this.system.name,
      OSVersion: this.system.version,
      OSType: "linux",
      Architecture: machine(),
      NCPU: availableParallelism(),
      MemTotal: totalmem(),
      Name: hostname(),
    };
  }

  private runtimeKeys(config: EngineConfig) {
    const { runtime, initPath } = this.sources;
    const runtimes = { [runtime.name]: runtime.path, ...config.runtimes };
    return {
      Runtimes: Object.fromEntries(Object.entries(runtimes).map(([name, path]) => [name, { path }])),
      DefaultRuntime: config.defaultRuntime ?? runtime.name,
      InitBinary: initPath === undefined ? "" : basename(initPath),
      ContainerdCommit: { ID: "" },
      RuncCommit: { ID: runtime.version },
      InitCommit: { ID: "" },
    };
  }

  private securityOptions(config: EngineConfig): string[] {
    const options = hasApparmor() ? ["name=apparmor"] : [];
    options.push(`name=seccomp,profile=${config.seccompProfile}`);
    const cgroupns =
      config.defaultCgroupnsMode ?? (this.sources.runtime.cgroupVersion === "2" ? "private" : "host");
    if (cgroupns === "private") options.push("name=cgroupns");
    if (this.sources.remapped) options.push("name=userns");
    if (config.noNewPrivileges) options.push("name=no-new-privileges");
    return options;
  }
}

const noSwarm: SystemInfo["Swarm"] = {
  NodeID: "",
  NodeAddr: "",
  LocalNodeState: "inactive",
  ControlAvailable: false,
  Error: "",
  RemoteManagers: null,
};

function registryKeys({
  registries: { mirrors, insecureRegistries },
}: EngineConfig): Pick<SystemInfo, "IndexServerAddress" | "RegistryConfig"> {
  const ofHub = (mirrors["docker.io"] ?? []).map((url) => `${url}/`);
  const hosts = insecureRegistries.filter((each) => !each.includes("/"));
  const networks = insecureRegistries.filter((each) => each.includes("/"));
  const insecure = hosts.map((Name) => [Name, { Mirrors: [], Name, Official: false, Secure: false }]);
  return {
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: {
      IndexConfigs: {
        "docker.io": { Mirrors: ofHub, Name: "docker.io", Official: true, Secure: true },
        ...Object.fromEntries(insecure),
      },
      InsecureRegistryCIDRs: [...networks, ...loopbackNetworks],
      Mirrors: ofHub.length > 0 ? ofHub : null,
    },
  };
}

/** A proxy's password stays here. */
const withoutPassword = (proxy: string): string => proxy.replace(/^(\w+:\/\/)[^/]*@/, "$1xxxxx:xxxxx@");

const proxyKeys = ({
  registries: { proxies },
}: EngineConfig): Pick<SystemInfo, "HttpProxy" | "HttpsProxy" | "NoProxy"> => ({
  HttpProxy: withoutPassword(proxies.http),
  HttpsProxy: withoutPassword(proxies.https),
  NoProxy: proxies.exceptions,
});
