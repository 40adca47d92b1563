import { isIP } from "node:net";
import { defaultLogPolicy } from "../../containers/config.ts";
import { EngineError, wrap } from "../../lib/errors.ts";
import type { LogLevel } from "../../lib/log.ts";
import { parseRamSize } from "../../lib/text/units.ts";
import type { LogPolicy } from "../../runtime/contract.ts";
import { type LogDriver, logDrivers, validateLogOptions } from "../../runtime/log-drivers/options.ts";
import type { Ulimit } from "../../types/api.ts";
import { gcOptions } from "../gc/options.ts";
import type { BridgeOptions, EngineConfig } from "./config.ts";
import { checkAddress, goText, type Pool, parsePair, type Values } from "./daemon-values.ts";
import {
  atLeastOne,
  checkInsecure,
  checkMirrors,
  environmentProxies,
  type MirrorsValue,
  type RegistryOptions,
} from "./registry-options.ts";

const invalid = (sentence: string): EngineError => new EngineError("invalid", sentence);

/** The options of both sources in one; a key that both have is refused. */
export function mergeValues(flags: Values, file: Values): Values {
  const twice = [...file.keys()].filter((key) => flags.has(key)).sort();
  if (twice.length > 0) {
    const told = twice.map(
      (key) => `${key}: (from flag: ${goText(flags.get(key))}, from file: ${goText(file.get(key))})`,
    );
    throw invalid(
      `the following directives are specified both as a flag and in the configuration file: ${told.join(", ")}`,
    );
  }
  return new Map([...file, ...flags]);
}

/** Reads values by their type; the tables of options and of the file's shapes have checked the types. */
class Reader {
  private readonly values: Values;

  constructor(values: Values) {
    this.values = values;
  }

  text(key: string): string | undefined {
    return (this.values.get(key) as string | undefined) || undefined;
  }

  flag(key: string, otherwise: boolean): boolean {
    return (this.values.get(key) as boolean | undefined) ?? otherwise;
  }

  number(key: string): number | undefined {
    return this.values.get(key) as number | undefined;
  }

  list<Item = string>(key: string): Item[] {
    return (this.values.get(key) as Item[] | undefined) ?? [];
  }

  map(key: string): Record<string, string> {
    return (this.values.get(key) as Record<string, string> | undefined) ?? {};
  }

  value<Type>(key: string): Type | undefined {
    return this.values.get(key) as Type | undefined;
  }

  choice<Choice extends string>(
    key: string,
    choices: readonly Choice[],
    sentence: (value: string) => string,
  ): Choice | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw invalid(sentence(value));
    return found;
  }
}

/** Makes the configuration complete and checks what can be checked without the host. */
export function completeConfig(values: Values): EngineConfig {
  const read = new Reader(values);
  const debug = read.flag("debug", false);
  for (const option of read.list("exec-opts"))
    if (option !== "native.cgroupdriver=cgroupfs")
      throw new EngineError("notImplemented", `exec-opts ${option} is not supported by berth yet`);
  for (const label of read.list("labels")) parsePair(label);
  const hosts = read.list("hosts");
  if (!read.flag("iptables", true))
    throw new EngineError("notImplemented", "iptables=false is not supported by berth yet");
  return {
    hosts: (hosts.length > 0 ? hosts : ["unix:///run/berth.sock"]).map(checkHost),
    group: read.text("group") ?? "berth",
    dataRoot: absolute("data-root", read.text("data-root") ?? "/var/lib/berth"),
    execRoot: absolute("exec-root", read.text("exec-root") ?? "/run/berth"),
    pidfile: absolute("pidfile", read.text("pidfile") ?? "/run/berth.pid"),
    debug,
    logLevel: debug ? "debug" : logLevel(read),
    logFormat:
      read.choice("log-format", ["text", "json"], (value) => `invalid log format: ${value}`) ?? "text",
    bridge: bridgeOptions(read),
    addressPools: read.list<Pool>("default-address-pools"),
    ipForward: read.flag("ip-forward", true),
    cdiSpecDirs: cdiFolders(read),
    dns: read.list("dns").map(checkAddress),
    dnsOptions: read.list("dns-opts"),
    dnsSearch: read.list("dns-search"),
    hostGatewayIps: read.list("host-gateway-ips").map(checkAddress),
    ...containerDefaults(read),
    registries: registryOptions(read),
    gc: gcOptions(read.map("gc")),
    labels: read.list("labels"),
    liveRestore: read.flag("live-restore", true),
    shutdownTimeout: read.number("shutdown-timeout") ?? 15,
    usernsRemap: read.text("userns-remap") ?? "",
    storageDriver: read.choice(
      "storage-driver",
      ["overlay2", "vfs"],
      (value) => `storage-driver ${value} is not supported by berth: overlay2 and vfs are`,
    ),
  };
}

/** As Docker takes it: one empty name turns devices by name off. */
function cdiFolders(read: Reader): string[] {
  const asked = read.list<string>("cdi-spec-dirs");
  if (asked.length === 0) return ["/etc/cdi", "/var/run/cdi"];
  return asked.length === 1 && asked[0] === "" ? [] : asked.map((path) => absolute("cdi-spec-dirs", path));
}

function registryOptions(read: Reader): RegistryOptions {
  const proxies = read.map("proxies");
  const proxy = (key: string, environment: string): string => read.text(key) ?? proxies[key] ?? environment;
  const environment = environmentProxies();
  return {
    insecureRegistries: read.list("insecure-registries").map(checkInsecure),
    mirrors: checkMirrors(read.value<MirrorsValue>("registry-mirrors") ?? []),
    proxies: {
      http: proxy("http-proxy", environment.http),
      https: proxy("https-proxy", environment.https),
      exceptions: proxy("no-proxy", environment.exceptions),
    },
    maxDownloads: atLeastOne("max-concurrent-downloads", read.number("max-concurrent-downloads"), 3),
    maxUploads: atLeastOne("max-concurrent-uploads", read.number("max-concurrent-uploads"), 5),
    downloadAttempts: atLeastOne("max-download-attempts", read.number("max-download-attempts"), 5),
    maxLayerSize: read.number("max-layer-size") ?? 0,
  };
}

type ContainerDefaults = Pick<
  EngineConfig,
  | "logDriver"
  | "logOptions"
  | "logPolicy"
  | "defaultRuntime"
  | "runtimes"
  | "defaultShmSize"
  | "defaultUlimits"
  | "defaultCgroupnsMode"
  | "defaultIpcMode"
  | "defaultStopTimeout"
  | "cgroupParent"
  | "init"
  | "initPath"
  | "noNewPrivileges"
  | "seccompProfile"
>;

function containerDefaults(read: Reader): ContainerDefaults {
  return {
    ...logDefaults(read),
    defaultRuntime: read.text("default-runtime"),
    runtimes: read.map("runtimes"),
    defaultShmSize: read.number("default-shm-size") ?? 64 * 1024 * 1024,
    defaultUlimits: read.list<Ulimit>("default-ulimits"),
    defaultCgroupnsMode: read.choice(
      "default-cgroupns-mode",
      ["private", "host"],
      (value) => `invalid default cgroup namespace (${value}), use "host" or "private"`,
    ),
    defaultIpcMode:
      read.choice(
        "default-ipc-mode",
        ["private", "shareable"],
        (value) => `IPC mode ${JSON.stringify(value)} is not supported as default value`,
      ) ?? "private",
    defaultStopTimeout: read.number("default-stop-timeout") ?? 10,
    cgroupParent: read.text("cgroup-parent") ?? "",
    init: read.flag("init", false),
    initPath: read.text("init-path"),
    noNewPrivileges: read.flag("no-new-privileges", false),
    seccompProfile: read.text("seccomp-profile") ?? "builtin",
  };
}

function checkedCidr(text: string | undefined, family: 4 | 6): string | undefined {
  if (text === undefined) return undefined;
  const [address = "", bits = ""] = text.split("/");
  if (isIP(address) !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    throw invalid(`invalid CIDR address: ${text}`);
  return text;
}

function bridgeOptions(read: Reader): BridgeOptions {
  const mtu = read.number("mtu");
  if (mtu !== undefined && mtu < 0) throw invalid(`invalid default MTU: ${mtu}`);
  const name = read.text("bridge");
  if (name === "none") throw new EngineError("notImplemented", "bridge=none is not supported by berth yet");
  if (name !== undefined && !/^[\w.-]{1,15}$/.test(name))
    throw invalid(
      `invalid bridge name ${JSON.stringify(name)}: an interface's name has up to 15 letters, digits, ".", "_" or "-"`,
    );
  const bip = read.text("bip");
  if (name !== undefined && bip !== undefined)
    throw invalid("You specified -b & --bip, mutually exclusive options. Please specify only one");
  return {
    name,
    bip,
    mtu: mtu === 0 ? undefined : mtu,
    hostIp: checkAddress(read.text("ip") ?? "0.0.0.0"),
    icc: read.flag("icc", true),
    masquerade: read.flag("ip-masq", true),
    ipv6: read.flag("ipv6", false),
    fixedCidr: checkedCidr(read.text("fixed-cidr"), 4),
    fixedCidrV6: checkedCidr(read.text("fixed-cidr-v6"), 6),
    networkOptions: read.value<Record<string, Record<string, string>>>("default-network-opts") ?? {},
    portsObeyInput: read.flag("published-ports-input", false),
    passFirewalls: read.value<boolean>("pass-firewalls"),
  };
}

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

const logLevel = (read: Reader): LogLevel =>
  read.choice("log-level", levels, (value) => `invalid logging level: ${value}`) ?? "info";

function logDefaults(read: Reader): Pick<EngineConfig, "logDriver" | "logOptions" | "logPolicy"> {
  const logDriver: LogDriver =
    read.choice(
      "log-driver",
      logDrivers,
      (value) => `logger: no log driver named '${value}' is registered`,
    ) ?? "json-file";
  const logOptions = read.map("log-opts");
  try {
    validateLogOptions(logDriver, logOptions);
  } catch (error) {
    throw wrap("failed to set log opts", error);
  }
  return { logDriver, logOptions, logPolicy: logPolicy(logOptions) };
}

/** Rotation of containers' logs: `max-size` -1 is no limit, `max-file` at least one. */
function logPolicy(options: Record<string, string>): LogPolicy {
  const size = options["max-size"];
  const files = options["max-file"];
  if (files !== undefined && !/^[1-9]\d{0,4}$/.test(files))
    throw invalid(`max-file ${files} is not a count of files`);
  const maxFiles = files === undefined ? defaultLogPolicy.maxFiles : Number(files);
  if (size === "-1") return { maxFiles };
  const maxSize = size === undefined ? defaultLogPolicy.maxSize : parseRamSize(size);
  return maxSize === undefined ? { maxFiles } : { maxFiles, maxSize };
}

function absolute(key: string, path: string): string {
  if (!path.startsWith("/")) throw invalid(`${key} ${JSON.stringify(path)} is not an absolute path`);
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}

function checkHost(host: string): string {
  if (host.startsWith("fd://"))
    throw new EngineError(
      "notImplemented",
      `host ${host} is not supported by berth yet: unix:// and tcp:// are`,
    );
  if (/^unix:\/\/\/./.test(host) || /^tcp:\/\/[^/]*:\d{1,5}\/?$/.test(host)) return host;
  throw invalid(`unable to parse ${JSON.stringify(host)}: a host is unix:///path or tcp://address:port`);
}
