import type { LogLevel } from "../../lib/log.ts";
import type { LogPolicy } from "../../runtime/contract.ts";
import type { LogDriver } from "../../runtime/log-drivers/options.ts";
import type { Ulimit } from "../../types/api.ts";
import type { GcRequest } from "../../types/image-report.ts";
import type { RegistryOptions } from "./registry-options.ts";

/** Everything the engine was told, by flags and `daemon.json`, made complete; nothing below it has defaults. */
export interface EngineConfig {
  /** `unix:///path` or `tcp://address:port` */
  hosts: readonly string[];
  /** group of unix sockets, by name or number; one that does not exist is passed over when it is the default */
  group: string;
  dataRoot: string;
  execRoot: string;
  pidfile: string;
  debug: boolean;
  logLevel: LogLevel;
  logFormat: "text" | "json";

  bridge: BridgeOptions;
  addressPools: readonly { base: string; size: number }[];
  ipForward: boolean;

  /** folders of CDI specifications, of rising precedence; none = devices by name are off */
  cdiSpecDirs: readonly string[];

  dns: readonly string[];
  dnsOptions: readonly string[];
  dnsSearch: readonly string[];
  hostGatewayIps: readonly string[];

  logDriver: LogDriver;
  logOptions: Readonly<Record<string, string>>;
  logPolicy: LogPolicy;
  /** undefined = crun where it works, else runc */
  defaultRuntime: string | undefined;
  /** name → path of the OCI runtime */
  runtimes: Readonly<Record<string, string>>;
  defaultShmSize: number;
  defaultUlimits: readonly Ulimit[];
  defaultCgroupnsMode: "private" | "host" | undefined;
  defaultIpcMode: "private" | "shareable";
  defaultStopTimeout: number;
  cgroupParent: string;
  init: boolean;
  initPath: string | undefined;
  noNewPrivileges: boolean;
  /** file of a profile, "builtin" or "unconfined" */
  seccompProfile: string;
  storageDriver: "overlay2" | "vfs" | undefined;
  /** as the user wrote it; "" = containers' users are the host's */
  usernsRemap: string;

  registries: RegistryOptions;
  /** undefined = images go only when somebody says so */
  gc: GcOptions | undefined;

  labels: readonly string[];
  /** told by `info`; containers outlive the engine in any case */
  liveRestore: boolean;
  shutdownTimeout: number;
}

/** When and by what policy unused images go by themselves. */
export interface GcOptions {
  policy: GcRequest;
  everyMs: number;
}

/** The default network's bridge. */
export interface BridgeOptions {
  /** undefined = the engine's own choice */
  name: string | undefined;
  /** the bridge's own address with its prefix; undefined = from the pools */
  bip: string | undefined;
  /** undefined = the kernel's default, 1500 */
  mtu: number | undefined;
  /** host address of published ports that name none */
  hostIp: string;
  icc: boolean;
  masquerade: boolean;
  ipv6: boolean;
  /** part of the subnet from which addresses are given */
  fixedCidr: string | undefined;
  /** undefined = one of the engine's own */
  fixedCidrV6: string | undefined;
  /** options of new networks, by driver */
  networkOptions: Readonly<Record<string, Record<string, string>>>;
  /** published ports go by sockets, so that the host's INPUT rules see them */
  portsObeyInput: boolean;
  passFirewalls: boolean | undefined;
}
