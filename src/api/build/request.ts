import type { BuildRequest, BuildResources } from "../../build/contract.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { parse as parseJson } from "../../lib/go/json/decode.ts";
import type { Call } from "../call.ts";
import { parseGoInt } from "../decode/query.ts";
import { registryAuthOf } from "./registry-config.ts";

/** What `POST /build` asks besides its context and Dockerfile. */
type ClassicRequest = Omit<BuildRequest, "dockerfile" | "context" | "signal">;

/** The query of `POST /build` as a complete request (Docker Engine API, ImageBuild). */
export function classicRequest(call: Call): ClassicRequest {
  const { query } = call;
  checkUnused(call);
  const target = query.text("target");
  const platform = query.text("platform");
  const ref = query.text("buildid");
  return {
    ...(ref === "" ? {} : { ref }),
    namedContexts: new Map(),
    ...(target === "" ? {} : { target }),
    buildArgs: stringMap(query.text("buildargs"), "build args"),
    labels: stringMap(query.text("labels"), "labels"),
    annotations: new Map(),
    platforms: platform === "" ? [] : [platform],
    tags: query.all("t").filter(Boolean),
    noCache: query.flag("nocache"),
    pull: query.flag("pull"),
    networkMode: networkOf(query.text("networkmode")),
    extraHosts: extraHosts(query.all("extrahosts")),
    secrets: { get: () => Promise.resolve(undefined) },
    ssh: { open: () => Promise.resolve(undefined) },
    resources: resourcesOf(call),
    outputs: [{ type: "image", attributes: {} }],
    cacheFrom: [],
    cacheTo: [],
    attestations: {},
    squash: query.flag("squash"),
    // our own client builds on another machine as it does on this one
    ...(query.flag("buildkit") ? {} : { classic: true }),
    allow: new Set(),
    registryAuth: registryAuthOf(call),
  };
}

/** What is wrong with parameters that change nothing here. */
function checkUnused({ query }: Call): void {
  const isolation = query.text("isolation");
  if (!["", "default"].includes(isolation.toLowerCase()))
    throw new EngineError("invalid", `unsupported isolation: ${JSON.stringify(isolation)}`);
  const cacheFrom = query.text("cachefrom");
  if (cacheFrom !== "" && !isList(parse(cacheFrom, "cache-from")))
    throw new EngineError("invalid", "error reading cache-from: a list of names is needed");
}

const isList = (value: unknown): boolean => value === null || Array.isArray(value);

const networkOf = (mode: string): string => (mode === "" || mode === "bridge" ? "default" : mode);

const extraHosts = (values: readonly string[]): string[] =>
  values
    .flatMap((value) => (value.startsWith("[") ? (parse(value, "extrahosts") as string[]) : [value]))
    .filter(Boolean);

function parse(text: string, what: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    const why = messageOf(error).replace(/^invalid JSON: /, "");
    throw new EngineError("invalid", `error reading ${what}: ${why}`, { cause: error });
  }
}

/** A JSON object of strings; null = declared without a value, which says nothing. */
function stringMap(text: string, what: string): ReadonlyMap<string, string> {
  if (text === "") return new Map();
  const value = parse(text, what);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new EngineError("invalid", `error reading ${what}: an object of strings is needed`);
  return new Map(
    Object.entries(value).flatMap(([key, one]) => (typeof one === "string" ? [[key, one]] : [])),
  );
}

function resourcesOf({ query }: Call): BuildResources {
  // Docker takes what is no number for none, but for shmsize
  const number = (name: string): number | undefined =>
    (/^[-+]?\d+$/.test(query.text(name)) && query.integer(name)) || undefined;
  const text = (name: string): string | undefined => query.text(name) || undefined;
  const members = {
    memory: number("memory"),
    memorySwap: number("memswap"),
    cpuShares: number("cpushares"),
    cpuPeriod: number("cpuperiod"),
    cpuQuota: number("cpuquota"),
    cpusetCpus: text("cpusetcpus"),
    cpusetMems: text("cpusetmems"),
    shmSize: shmSizeOf(query.text("shmsize")),
    cgroupParent: text("cgroupparent"),
  };
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ulimits: ulimitsOf(query.text("ulimits")) };
}

const shmSizeOf = (text: string): number | undefined =>
  (text !== "" && parseGoInt(text, "ParseInt", "internal")) || undefined;

function ulimitsOf(text: string): BuildResources["ulimits"] {
  if (text === "" || text === "null") return [];
  const value = parse(text, "ulimit settings");
  const wrong = (): EngineError =>
    new EngineError("invalid", "error reading ulimit settings: a list of limits is needed");
  if (!Array.isArray(value)) throw wrong();
  return value.map((one: unknown) => {
    const { Name, Soft, Hard } = (one ?? {}) as Record<string, unknown>;
    if (typeof Name !== "string" || typeof Soft !== "number" || typeof Hard !== "number") throw wrong();
    return { Name, Soft, Hard };
  });
}
