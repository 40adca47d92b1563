import type { BuildsConfig } from "../../build/deps.ts";
import type { ContainersConfig } from "../../containers/config.ts";
import type { DistributionOptions } from "../../distribution/contract.ts";
import type { TransferLimits } from "../../images/deps.ts";
import type { IdMap } from "../../lib/users/id-map.ts";
import { defaultSubnetPools } from "../../network/addresses/pools.ts";
import type { NetworkOptions } from "../../network/open.ts";
import type { RuntimeFacts } from "../../runtime/contract.ts";
import type { RuntimeOptions } from "../../runtime/open.ts";
import type { Identity } from "../identity.ts";
import { berthVersion } from "../info/build-info.ts";
import type { EngineConfig } from "./config.ts";

/** What of the engine's configuration each service gets. */

const defaultDataRoot = "/var/lib/berth";

/** The default engine's bridge has a name people know; others are named after their engine. */
export const bridgeName = (config: EngineConfig, { short }: Identity): string =>
  config.bridge.name ?? (config.dataRoot === defaultDataRoot ? "berth0" : `br-${short}`);

export function networkOptions(
  config: EngineConfig,
  identity: Identity,
): Omit<NetworkOptions, "state" | "events" | "logger"> {
  const { bip, mtu, hostIp, icc, masquerade, ipv6, fixedCidr, fixedCidrV6 } = config.bridge;
  return {
    execRoot: config.execRoot,
    engineId: identity.short,
    bridge: bridgeName(config, identity),
    subnetPools: config.addressPools.length > 0 ? config.addressPools : defaultSubnetPools,
    icc,
    ipMasq: masquerade,
    defaultBindAddress: hostIp,
    ipForward: config.ipForward,
    defaultNetworkOptions: config.bridge.networkOptions,
    hostGatewayIps: config.hostGatewayIps,
    portsObeyInput: config.bridge.portsObeyInput,
    passFirewalls: config.bridge.passFirewalls,
    ipv6,
    ...(fixedCidr === undefined ? {} : { fixedCidr }),
    ...(fixedCidrV6 === undefined ? {} : { fixedCidrV6 }),
    ...(bip === undefined ? {} : { bip }),
    ...(mtu === undefined ? {} : { mtu }),
  };
}

export function runtimeOptions(config: EngineConfig, identity: Identity): Omit<RuntimeOptions, "logger"> {
  return {
    execRoot: config.execRoot,
    dataRoot: config.dataRoot,
    engineId: identity.short,
    runtimes: config.runtimes,
    ...(config.cgroupParent === "" ? {} : { cgroupParent: config.cgroupParent }),
    ...(config.defaultRuntime === undefined
      ? {}
      : { defaultRuntime: config.runtimes[config.defaultRuntime] ?? config.defaultRuntime }),
  };
}

export function containersConfig(
  config: EngineConfig,
  identity: Identity,
  runtime: RuntimeFacts,
  initPath: string | undefined,
  remap: IdMap | undefined,
): ContainersConfig {
  return {
    dataRoot: config.dataRoot,
    execRoot: config.execRoot,
    engineId: identity.short,
    defaultShmSize: config.defaultShmSize,
    defaultUlimits: config.defaultUlimits,
    cdiSpecDirs: config.cdiSpecDirs,
    dns: config.dns,
    dnsSearch: config.dnsSearch,
    dnsOptions: config.dnsOptions,
    hostGatewayIps: config.hostGatewayIps,
    init: config.init,
    noNewPrivileges: config.noNewPrivileges,
    seccompProfile: config.seccompProfile,
    cgroupParent: config.cgroupParent,
    defaultIpcMode: config.defaultIpcMode,
    defaultRuntime: config.defaultRuntime ?? runtime.name,
    runtimes: { [runtime.name]: runtime.path, ...config.runtimes },
    logDriver: config.logDriver,
    logOptions: config.logOptions,
    logPolicy: config.logPolicy,
    defaultStopTimeout: config.defaultStopTimeout,
    restartAtStart: true,
    ...(initPath === undefined ? {} : { initPath }),
    ...(remap === undefined ? {} : { remap }),
    ...(config.defaultCgroupnsMode === undefined ? {} : { defaultCgroupnsMode: config.defaultCgroupnsMode }),
  };
}

/** Stillness that ends a request: as long as Docker waits for an answer's beginning. */
const registryStallMs = 60_000;

export const distributionOptions = ({ registries }: EngineConfig): DistributionOptions => ({
  insecureRegistries: registries.insecureRegistries,
  mirrors: registries.mirrors,
  proxies: registries.proxies,
  certificateFolders: ["/etc/berth/certs.d", "/etc/docker/certs.d"],
  stallMs: registryStallMs,
  userAgent: `berth/${berthVersion} os/linux arch/${process.arch}`,
});

export const transferLimits = ({ registries }: EngineConfig): TransferLimits => ({
  downloads: registries.maxDownloads,
  uploads: registries.maxUploads,
  downloadAttempts: registries.downloadAttempts,
  layerBytes: registries.maxLayerSize,
});

export function buildsConfig(config: EngineConfig, remap: IdMap | undefined): BuildsConfig {
  return {
    dataRoot: config.dataRoot,
    execRoot: config.execRoot,
    dns: config.dns,
    dnsSearch: config.dnsSearch,
    dnsOptions: config.dnsOptions,
    hostGatewayIps: config.hostGatewayIps,
    cgroupParent: config.cgroupParent,
    defaultUlimits: config.defaultUlimits,
    ...(remap === undefined ? {} : { remap }),
  };
}
