import { Nil, Struct, type Value } from "../../lib/go/template/values.ts";
import { imageConfigOrder } from "../../lib/image/config-order.ts";
import { goTime } from "./text.ts";

/** Keys whose objects are maps in Docker's types; all other objects are structs. */
const mapKeys = new Set([
  "Annotations",
  "Attributes",
  "AuxiliaryAddresses",
  "AuxAddress",
  "Config.LogConfig",
  "Containers",
  "Data",
  "DriverOpts",
  "EndpointsConfig",
  "ExposedPorts",
  "Labels",
  "Networks",
  "Options",
  "PortBindings",
  "Ports",
  "StorageOpt",
  "Sysctls",
  "Tmpfs",
  "Volumes",
  "Details",
  "Status",
  "IndexConfigs",
  "Runtimes",
  "Services",
]);
/** Keys that are maps only where their values are all plain (a struct of the same name exists elsewhere). */
const pointerKeys = new Set([
  "MemorySwappiness",
  "OomKillDisable",
  "PidsLimit",
  "Init",
  "Health",
  "Ended",
  "Healthcheck",
  "IPAMConfig",
  "SizeRw",
  "SizeRootFs",
  "State",
  "Config",
  "HostConfig",
  "NetworkSettings",
  "StopTimeout",
  "UsageData",
  "Server",
  "ClusterVolume",
  "ExitCode",
  "ImageManifestDescriptor",
]);
/** Other spellings of Go's field names. */
const aliases: Record<string, string> = {
  ID: "Id",
  HTTPProxy: "HttpProxy",
  HTTPSProxy: "HttpsProxy",
  CPUCfsPeriod: "CpuCfsPeriod",
  CPUCfsQuota: "CpuCfsQuota",
  CPUShares: "CpuShares",
  NanoCPUs: "NanoCpus",
  CPUPeriod: "CpuPeriod",
  CPUQuota: "CpuQuota",
  CPURealtimePeriod: "CpuRealtimePeriod",
  CPURealtimeRuntime: "CpuRealtimeRuntime",
  CPUCount: "CpuCount",
  CPUPercent: "CpuPercent",
  DNS: "Dns",
  DNSOptions: "DnsOptions",
  DNSSearch: "DnsSearch",
};

/** Fields that JSON leaves out when they are empty, with the value Go then sees. */
const omitted: Record<string, Record<string, () => Value>> = {
  State: { Health: () => new Nil("pointer"), Ended: () => new Nil("pointer") },
  HostConfig: {
    Annotations: () => new Nil("map"),
    Mounts: () => new Nil("slice"),
    StorageOpt: () => new Nil("map"),
    Tmpfs: () => new Nil("map"),
    Sysctls: () => new Nil("map"),
    Init: () => new Nil("pointer"),
    Runtime: () => "",
    KernelMemory: () => 0,
    KernelMemoryTCP: () => 0,
  },
  Config: {
    ExposedPorts: () => new Nil("map"),
    Healthcheck: () => new Nil("pointer"),
    StopSignal: () => "",
    StopTimeout: () => new Nil("pointer"),
    Shell: () => new Nil("slice"),
    MacAddress: () => "",
    NetworkDisabled: () => false,
    ArgsEscaped: () => false,
  },
  Server: { Experimental: () => false },
  "Mounts[]": { Name: () => "", Driver: () => "" },
};
const volumeTop: Record<string, () => Value> = {
  Status: () => new Nil("map"),
  UsageData: () => new Nil("pointer"),
  ClusterVolume: () => new Nil("pointer"),
};
const imageTop: Record<string, () => Value> = {
  Variant: () => "",
  OsVersion: () => "",
  Container: () => "",
  ContainerConfig: () => new Nil("pointer"),
  VirtualSize: () => 0,
  Descriptor: () => new Nil("pointer"),
  Manifests: () => new Nil("slice"),
};
const containerTop: Record<string, () => Value> = {
  SizeRw: () => new Nil("pointer"),
  SizeRootFs: () => new Nil("pointer"),
};

/** JSON of the API seen through Docker's Go types, as far as templates can tell the difference. */
export const jsonStruct = (goType: string, object: object): Struct =>
  new JsonStruct(goType, object as Record<string, Value>, "");

class JsonStruct extends Struct {
  readonly goType: string;
  private readonly object: Record<string, Value>;
  private readonly key: string;

  constructor(goType: string, object: Record<string, Value>, key: string) {
    super();
    this.goType = goType;
    this.object = object;
    this.key = key;
  }

  member(name: string): { value: Value } | undefined {
    if (name === "Created" && "EnableIPv6" in this.object)
      return { value: new Time(String(this.object[name])) };
    if (Object.hasOwn(this.object, name)) return { value: view(name, this.object[name]) };
    const alias = aliases[name];
    if (alias && Object.hasOwn(this.object, alias)) return { value: view(alias, this.object[alias]) };
    const absent = this.key === "" ? this.topFields() : (omitted[this.key] ?? {});
    const zero = Object.hasOwn(absent, name) ? absent[name] : undefined;
    return zero && { value: zero() };
  }

  private topFields(): Record<string, () => Value> {
    if ("HostConfig" in this.object) return containerTop;
    if ("Mountpoint" in this.object) return volumeTop;
    return "RootFS" in this.object ? imageTop : {};
  }

  override values(): Value[] {
    return [...Object.entries(this.known).map(([key, value]) => view(key, value)), ...this.absent];
  }

  toJSON(): unknown {
    if (this.key === "" && "RootFS" in this.object) return image(this.object);
    return this.key === "Config" && !("Hostname" in this.object) ? imageConfig(this.object) : this.known;
  }

  /** Our own additions are told where they are asked for by name, and not among Docker's fields. */
  private get known(): Record<string, Value> {
    if (this.key !== "State") return this.object;
    const { Ended: _own, ...docker } = this.object;
    return docker;
  }

  /** A container without a health check prints its `State` with a nil at the end. */
  private get absent(): Value[] {
    const ofContainer = this.key === "State" && "Dead" in this.object;
    return ofContainer && !("Health" in this.object) ? [new Nil("pointer")] : [];
  }
}

/** A field that Go holds as a time, not as text. */
class Time extends Struct {
  readonly goType = "time.Time";
  private readonly rfc3339: string;

  constructor(rfc3339: string) {
    super();
    this.rfc3339 = rfc3339;
  }

  member(): undefined {
    return undefined;
  }

  override text(): string {
    return goTime(this.rfc3339);
  }

  toJSON(): string {
    return this.rfc3339;
  }
}

/** An image in the order of its Go type, where the configuration follows the author. */
function image({ Config: config, ...rest }: Record<string, Value>): Record<string, Value> {
  const fields = Object.entries(rest);
  const at = fields.findIndex(([name]) => name === "Author") + 1;
  if (isObject(config)) fields.splice(at, 0, ["Config", imageConfig(config)]);
  return Object.fromEntries(fields);
}

const healthOrder = ["Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"];

/** An image's configuration in the order of its Go type, without what is empty. */
function imageConfig(config: Record<string, Value>): Record<string, Value> {
  const kept = pick(config, imageConfigOrder);
  const { Healthcheck: health } = kept;
  return isObject(health) ? { ...kept, Healthcheck: pick(health, healthOrder) } : kept;
}

const pick = (object: Record<string, Value>, keys: readonly string[]): Record<string, Value> =>
  Object.fromEntries(keys.filter((key) => !isEmpty(object[key])).map((key) => [key, object[key]]));

const isEmpty = (value: Value): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === false ||
  value === 0 ||
  (Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0);

function view(key: string, value: Value): Value {
  if (value === null) return new Nil(pointerKeys.has(key) ? "pointer" : mapKeys.has(key) ? "map" : "slice");
  if (Array.isArray(value))
    return value.map((item) => (isObject(item) ? new JsonStruct(`types.${key}`, item, `${key}[]`) : item));
  if (!isObject(value)) return value;
  if (mapKeys.has(key) || key.includes("/"))
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, viewInMap(name, item)]));
  // LogConfig.Config is a map of strings, a container's Config a struct: the latter always has more than strings.
  if (key === "Config" && Object.values(value).every((item) => typeof item === "string")) return value;
  return new JsonStruct(`types.${key}`, value, key);
}

const viewInMap = (name: string, value: Value): Value =>
  value === null
    ? new Nil("slice")
    : Array.isArray(value)
      ? view(name, value)
      : isObject(value)
        ? new JsonStruct("types.Value", value, "")
        : value;

const isObject = (value: Value): value is Record<string, Value> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
