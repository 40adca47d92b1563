import { binarySize } from "../../../lib/text/units.ts";
import type { DescribedPlugin } from "../../plugins/describe.ts";

export interface SystemInfo {
  Containers: number;
  ContainersRunning: number;
  ContainersPaused: number;
  ContainersStopped: number;
  Images: number;
  ServerVersion: string;
  Driver: string;
  DriverStatus?: [string, string][] | null;
  LoggingDriver?: string;
  CgroupDriver?: string;
  CgroupVersion?: string;
  Plugins?: {
    Volume?: string[] | null;
    Network?: string[] | null;
    Authorization?: string[] | null;
    Log?: string[] | null;
  };
  CDISpecDirs?: string[] | null;
  DiscoveredDevices?: { Source: string; ID: string }[] | null;
  Swarm?: { LocalNodeState?: string };
  Runtimes?: Record<string, unknown> | null;
  DefaultRuntime?: string;
  InitBinary?: string;
  ContainerdCommit?: { ID: string };
  RuncCommit?: { ID: string };
  InitCommit?: { ID: string };
  SecurityOptions?: string[] | null;
  KernelVersion?: string;
  OperatingSystem?: string;
  OSType?: string;
  Architecture?: string;
  NCPU?: number;
  MemTotal?: number;
  Name?: string;
  ID?: string;
  DockerRootDir?: string;
  Debug?: boolean;
  NFd?: number;
  NGoroutines?: number;
  SystemTime?: string;
  NEventsListener?: number;
  HttpProxy?: string;
  HttpsProxy?: string;
  NoProxy?: string;
  IndexServerAddress?: string;
  Labels?: string[] | null;
  ExperimentalBuild?: boolean;
  RegistryConfig?: {
    InsecureRegistryCIDRs?: string[] | null;
    IndexConfigs?: Record<string, { Name: string; Secure: boolean }> | null;
    Mirrors?: string[] | null;
  };
  LiveRestoreEnabled?: boolean;
  ProductLicense?: string;
  DefaultAddressPools?: { Base: string; Size: number }[] | null;
  FirewallBackend?: { Driver: string; Info?: [string, string][] };
  Warnings?: string[] | null;
}

interface ClientInfo {
  Version: string;
  Context: string;
  Debug: boolean;
  Plugins: DescribedPlugin[];
}

/** `info` as people read it; what docker warns of goes to stderr. */
export function layoutInfo(
  client: ClientInfo,
  info: SystemInfo | undefined,
): { text: string; warnings: string[] } {
  const lines = [
    "Client:",
    ` Version:    ${client.Version}`,
    ` Context:    ${client.Context}`,
    ` Debug Mode: ${client.Debug}`,
    ...(client.Plugins.length > 0 ? [" Plugins:"] : []),
    ...client.Plugins.flatMap(plugin),
    "",
    "Server:",
  ];
  if (info)
    lines.push(
      ...counts(info),
      ...drivers(info),
      ...runtimes(info),
      ...security(info),
      ...host(info),
      ...registry(info),
      "",
    );
  return { text: `${lines.join("\n")}\n`, warnings: info?.Warnings ?? [] };
}

const plugin = ({ Name, Path, ShortDescription, Vendor, Version }: DescribedPlugin): string[] => [
  `  ${Name}: ${ShortDescription ?? ""} (${Vendor})`,
  ...(Version ? [`    Version:  ${Version}`] : []),
  `    Path:     ${Path}`,
];

const maybe = (name: string, value: string | number | undefined): string[] =>
  value === undefined || value === "" ? [] : [` ${name}: ${value}`];

const counts = (info: SystemInfo): string[] => [
  ` Containers: ${info.Containers}`,
  `  Running: ${info.ContainersRunning}`,
  `  Paused: ${info.ContainersPaused}`,
  `  Stopped: ${info.ContainersStopped}`,
  ` Images: ${info.Images}`,
  ...maybe("Server Version", info.ServerVersion),
];

function drivers(info: SystemInfo): string[] {
  const { Plugins: plugins = {} } = info;
  return [
    ` Storage Driver: ${info.Driver}`,
    ...(info.DriverStatus ?? []).map(([name, value]) => `  ${name}: ${value}`),
    ...maybe("Logging Driver", info.LoggingDriver),
    ...maybe("Cgroup Driver", info.CgroupDriver),
    ...maybe("Cgroup Version", info.CgroupVersion),
    " Plugins:",
    `  Volume: ${(plugins.Volume ?? []).join(" ")}`,
    `  Network: ${(plugins.Network ?? []).join(" ")}`,
    ...(plugins.Authorization?.length ? [`  Authorization: ${plugins.Authorization.join(" ")}`] : []),
    `  Log: ${(plugins.Log ?? []).join(" ")}`,
    ...(info.CDISpecDirs?.length
      ? [" CDI spec directories:", ...info.CDISpecDirs.map((folder) => `  ${folder}`)]
      : []),
    ...(info.DiscoveredDevices?.length
      ? [" Discovered Devices:", ...info.DiscoveredDevices.map(({ Source, ID }) => `  ${Source}: ${ID}`)]
      : []),
    ` Swarm: ${info.Swarm?.LocalNodeState || "inactive"}`,
  ];
}

function runtimes(info: SystemInfo): string[] {
  const names = Object.keys(info.Runtimes ?? {}).sort();
  return [
    ...(names.length > 0
      ? [` Runtimes: ${names.join(" ")}`, ` Default Runtime: ${info.DefaultRuntime ?? ""}`]
      : []),
    ` Init Binary: ${info.InitBinary ?? ""}`,
    ` containerd version: ${info.ContainerdCommit?.ID ?? ""}`,
    ` runc version: ${info.RuncCommit?.ID ?? ""}`,
    ` init version: ${info.InitCommit?.ID ?? ""}`,
  ];
}

/** `name=seccomp,profile=builtin` becomes a name and its options below it. */
function security({ SecurityOptions: options }: SystemInfo): string[] {
  if (!options?.length) return [];
  return [
    " Security Options:",
    ...options.flatMap((option) => {
      const pairs = option
        .split(",")
        .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
      const name = pairs.find(([key]) => key === "name")?.[1] ?? option;
      const rest = pairs.filter(([key]) => key !== "name");
      return [
        `  ${name}`,
        ...rest.map(([key = "", value]) => `   ${key.charAt(0).toUpperCase()}${key.slice(1)}: ${value}`),
      ];
    }),
  ];
}

const host = (info: SystemInfo): string[] => [
  ...maybe("Kernel Version", info.KernelVersion),
  ...maybe("Operating System", info.OperatingSystem),
  ...maybe("OSType", info.OSType),
  ...maybe("Architecture", info.Architecture),
  ` CPUs: ${info.NCPU ?? 0}`,
  ` Total Memory: ${binarySize(info.MemTotal ?? 0)}`,
  ...maybe("Name", info.Name),
  ...maybe("ID", info.ID),
  ` Docker Root Dir: ${info.DockerRootDir ?? ""}`,
  ` Debug Mode: ${info.Debug ?? false}`,
  ...(info.Debug
    ? [
        `  File Descriptors: ${info.NFd ?? 0}`,
        `  Goroutines: ${info.NGoroutines ?? 0}`,
        `  System Time: ${info.SystemTime ?? ""}`,
        `  EventsListeners: ${info.NEventsListener ?? 0}`,
      ]
    : []),
  ...maybe("HTTP Proxy", info.HttpProxy),
  ...maybe("HTTPS Proxy", info.HttpsProxy),
  ...maybe("No Proxy", info.NoProxy),
  ...(info.Labels?.length ? [" Labels:", ...info.Labels.map((label) => `  ${label}`)] : []),
  ` Experimental: ${info.ExperimentalBuild ?? false}`,
];

function registry(info: SystemInfo): string[] {
  const { RegistryConfig: config = {} } = info;
  const insecure = [
    ...Object.values(config.IndexConfigs ?? {}).flatMap(({ Name, Secure }) => (Secure ? [] : [Name])),
    ...(config.InsecureRegistryCIDRs ?? []),
  ];
  return [
    ...(insecure.length > 0 ? [" Insecure Registries:", ...insecure.map((name) => `  ${name}`)] : []),
    ...(config.Mirrors?.length ? [" Registry Mirrors:", ...config.Mirrors.map((name) => `  ${name}`)] : []),
    ` Live Restore Enabled: ${info.LiveRestoreEnabled ?? false}`,
    ...maybe("Product License", info.ProductLicense),
    ...(info.DefaultAddressPools?.length
      ? [
          " Default Address Pools:",
          ...info.DefaultAddressPools.map(({ Base, Size }) => `   Base: ${Base}, Size: ${Size}`),
        ]
      : []),
    ...(info.FirewallBackend
      ? [
          ` Firewall Backend: ${info.FirewallBackend.Driver}`,
          ...(info.FirewallBackend.Info ?? []).map(([name, value]) => `  ${name}: ${value}`),
        ]
      : []),
  ];
}
