import type { BuildRequest, BuildResources, CachePlace } from "../../build/contract.ts";
import { askedAttestations } from "../../build/export/attest/asked.ts";
import { EngineError } from "../../lib/errors.ts";

/** What a Dockerfile build is asked for in FrontendAttrs: the part that needs no client. */
export type BuildOptions = Pick<
  BuildRequest,
  | "buildArgs"
  | "labels"
  | "platforms"
  | "noCache"
  | "pull"
  | "networkMode"
  | "extraHosts"
  | "resources"
  | "attestations"
> &
  Partial<Pick<BuildRequest, "target" | "sourceDateEpoch">> & {
    /** `context:name` → how it is given */
    contexts: ReadonlyMap<string, string>;
    cacheFrom: CachePlace[];
  };

type Attributes = ReadonlyMap<string, string>;

const invalid = (sentence: string): EngineError => new EngineError("invalid", sentence);

/** Reads the attributes of the `dockerfile.v0` frontend (BuildKit's frontend/dockerui documents them). */
export function buildOptions(attributes: Attributes): BuildOptions {
  const buildArgs = withPrefix(attributes, "build-arg:");
  const target = attributes.get("target");
  const sourceDateEpoch = epochOf(buildArgs.get("SOURCE_DATE_EPOCH"));
  return {
    buildArgs,
    labels: withPrefix(attributes, "label:"),
    contexts: withPrefix(attributes, "context:"),
    platforms: csv(attributes.get("platform")),
    noCache: noCacheOf(attributes.get("no-cache")),
    pull: attributes.get("image-resolve-mode") === "pull",
    networkMode: networkMode(attributes.get("force-network-mode")),
    extraHosts: csv(attributes.get("add-hosts")).map(hostEntry),
    resources: resourcesOf(attributes),
    attestations: askedAttestations(withPrefix(attributes, "attest:")),
    cacheFrom: cacheImports(attributes),
    ...(target ? { target } : {}),
    ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch }),
  };
}

function withPrefix(attributes: Attributes, prefix: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of attributes)
    if (name.startsWith(prefix)) found.set(name.slice(prefix.length), value);
  return found;
}

const csv = (text = ""): string[] => text.split(",").filter((part) => part !== "");

const noCacheOf = (text: string | undefined): boolean | string[] =>
  text === undefined ? false : text === "" ? true : csv(text);

function networkMode(text = ""): string {
  if (text === "" || text === "none" || text === "host") return text || "default";
  if (text === "sandbox") return "default";
  throw invalid(`invalid netmode ${text}`);
}

/** "name=address" on this wire, "name:address" inside. */
function hostEntry(text: string): string {
  const equals = text.indexOf("=");
  if (equals < 1) throw invalid(`failed to parse additional hosts: invalid host ${text}`);
  return `${text.slice(0, equals)}:${text.slice(equals + 1)}`;
}

function resourcesOf(attributes: Attributes): BuildResources {
  const number = (key: string): number | undefined => {
    const text = attributes.get(key);
    if (!text) return undefined;
    if (!/^-?\d{1,15}$/.test(text))
      throw invalid(`failed to parse ${key}: invalid number ${JSON.stringify(text)}`);
    return Number(text);
  };
  const resources: BuildResources = { ulimits: csv(attributes.get("ulimit")).map(ulimitOf) };
  const numbers = {
    memory: number("memory"),
    memorySwap: number("memswap"),
    cpuShares: number("cpushares"),
    cpuPeriod: number("cpuperiod"),
    cpuQuota: number("cpuquota"),
    shmSize: number("shm-size"),
  };
  const texts = {
    cpusetCpus: attributes.get("cpusetcpus"),
    cpusetMems: attributes.get("cpusetmems"),
    cgroupParent: attributes.get("cgroup-parent"),
  };
  for (const [key, value] of Object.entries({ ...numbers, ...texts }))
    if (value !== undefined && value !== "") Object.assign(resources, { [key]: value });
  return resources;
}

/** "nofile=1024:2048" */
function ulimitOf(text: string): { Name: string; Soft: number; Hard: number } {
  const match = /^([a-z]+)=(-?\d{1,15})(?::(-?\d{1,15}))?$/.exec(text);
  if (!match) throw invalid(`failed to parse ulimit: invalid ulimit argument: ${text}`);
  const [, Name = "", soft = "", hard = soft] = match;
  return { Name, Soft: Number(soft), Hard: Number(hard) };
}

function epochOf(text: string | undefined): number | undefined {
  if (!text) return undefined;
  if (!/^\d{1,12}$/.test(text))
    throw invalid(
      `invalid SOURCE_DATE_EPOCH: ${text}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}

/** `cache-imports` is JSON, `cache-from` the older list of references. */
function cacheImports(attributes: Attributes): CachePlace[] {
  const found = csv(attributes.get("cache-from")).map((ref) => ({ type: "registry", attributes: { ref } }));
  const text = attributes.get("cache-imports");
  return text ? [...found, ...parseImports(text)] : found;
}

function parseImports(text: string): CachePlace[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const shown = JSON.stringify(text.slice(0, 200));
    throw new EngineError("invalid", `failed to unmarshal cache-imports (${shown})`, { cause: error });
  }
  if (!Array.isArray(parsed)) return [];
  return parsed.flatMap((entry: { Type?: unknown; Attrs?: unknown } | null) => {
    if (typeof entry?.Type !== "string") return [];
    const given = typeof entry.Attrs === "object" && entry.Attrs !== null ? entry.Attrs : {};
    const strings = Object.entries(given).filter(([, value]) => typeof value === "string");
    return [{ type: entry.Type, attributes: Object.fromEntries(strings) as Record<string, string> }];
  });
}
