import { messageOf } from "../../lib/errors.ts";
import { formatPlatform, parsePlatform } from "../../lib/image/platform.ts";
import { parseReference } from "../../lib/image/reference.ts";
import type { LocalBuildRequest, LocalBuildResources } from "../../types/local-build.ts";
import { extraHost, ulimit } from "../run/values.ts";
import type { Session } from "../session.ts";
import { localFolder, patternsOf } from "./context/folder.ts";
import { type BuildSources, dockerfileText, type StreamedContext } from "./context/sources.ts";
import { buildError } from "./failure.ts";
import type { BuildFlags } from "./flags.ts";
import { attestations } from "./options/attestations.ts";
import { cacheFolders, cacheOption, cacheSource } from "./options/caches.ts";
import { parseCall } from "./options/call.ts";
import { readContexts } from "./options/contexts.ts";
import { buildCredentials } from "./options/credentials.ts";
import type { Output } from "./options/outputs.ts";
import { keyValues } from "./options/pairs.ts";
import { registryHosts } from "./options/registry-hosts.ts";
import { agentSockets, readSecrets } from "./options/secrets.ts";

/** Makes one request of the options, all paths and variables resolved on this side. */
export async function localRequest(
  session: Session,
  flags: BuildFlags,
  sources: BuildSources | StreamedContext,
  outputs: readonly Output[],
): Promise<LocalBuildRequest> {
  const hosts = registryHosts(dockerfileText(sources), flags, session.config);
  return {
    ...plainParts(session, flags),
    auth: await buildCredentials(session, hosts),
    call: callOf(flags),
    ...(await sourceParts(sources, flags)),
    namedContexts: await readContexts(flags.buildContext),
    secrets: await readSecrets(flags.secret),
    ssh: await agentSockets(flags.ssh),
    cacheFolders: await cacheFolders(flags),
    outputs: outputs.map(({ type, attributes }) => ({ type, attributes })),
  };
}

/** Where the Dockerfile and the context are: on this machine, elsewhere, or behind the request. */
async function sourceParts(
  sources: BuildSources | StreamedContext,
  flags: BuildFlags,
): Promise<Pick<LocalBuildRequest, "dockerfile" | "context">> {
  if ("dockerfile" in sources) {
    const { folder, ignoreFile } = sources;
    const { name, text, url } = sources.dockerfile;
    return {
      dockerfile: url === undefined ? { name, text } : { name, url },
      ...(folder === undefined ? {} : { context: await localFolder(folder, patternsOf(ignoreFile)) }),
    };
  }
  const { remote, text } = sources;
  const context = remote === undefined ? { upload: true } : { url: remote };
  if (text !== undefined) return { dockerfile: { name: "Dockerfile", text }, context };
  if (/^https?:\/\//.test(flags.file))
    return { dockerfile: { name: "Dockerfile", url: flags.file }, context };
  return { dockerfile: { name: flags.file || "Dockerfile" }, context };
}

type PlainParts = Omit<
  LocalBuildRequest,
  | "auth"
  | "call"
  | "dockerfile"
  | "context"
  | "namedContexts"
  | "secrets"
  | "ssh"
  | "outputs"
  | "cacheFolders"
>;

function plainParts(session: Session, flags: BuildFlags): PlainParts {
  const buildArgs = { ...proxies(session), ...keyValues(flags.buildArg, true) };
  return {
    ...(flags.target ? { target: flags.target } : {}),
    buildArgs,
    labels: keyValues(flags.label),
    annotations: annotations(flags.annotation),
    platforms: flags.platform.map(checkedPlatform),
    tags: flags.tag.map(checkedTag),
    ...noCache(flags),
    pull: flags.pull,
    network: networkMode(flags.network),
    extraHosts: flags.addHost.map(checkedHost),
    resources: resources(flags),
    cacheFrom: flags.cacheFrom.filter((text) => text !== "").map(cacheSource),
    cacheTo: flags.cacheTo.map(cacheOption),
    attest: attestations(flags),
    squash: flags.squash,
    keepsFailed: flags.onError === "shell",
    allow: flags.allow.map(entitlement),
  };
}

const calls: Readonly<Record<string, LocalBuildRequest["call"]>> = {
  build: "build",
  check: "check",
  lint: "check",
  outline: "outline",
  targets: "targets",
};

function callOf(flags: BuildFlags): LocalBuildRequest["call"] {
  const name = flags.check ? "check" : parseCall(flags.call).name;
  const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
  if (call !== undefined) return call;
  const sentence = `unsupported request frontend.${name}`;
  throw buildError(`failed to solve: ${sentence}: ${sentence}`);
}

const proxyKeys = ["httpProxy", "httpsProxy", "ftpProxy", "noProxy", "allProxy"] as const;

/** The configuration's proxies are build arguments that are always there. */
function proxies(session: Session): Record<string, string> {
  const { proxies: configured } = session.config;
  const found = configured?.[session.endpoint.url] ?? configured?.["default"] ?? {};
  const values: Record<string, string> = {};
  for (const key of proxyKeys) {
    const value = found[key];
    if (!value) continue;
    const name = key.replace("Proxy", "_proxy").toLowerCase();
    values[name] = value;
    values[name.toUpperCase()] = value;
  }
  return values;
}

function annotations(items: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const item of items) {
    const equals = item.indexOf("=");
    if (equals <= 0)
      throw buildError(`parse annotations: invalid annotation ${JSON.stringify(item)}, expected key=value`);
    for (const key of annotationKeys(item.slice(0, equals))) values[key] = item.slice(equals + 1);
  }
  return values;
}

const annotated: readonly string[] = ["index", "manifest", "index-descriptor", "manifest-descriptor"];

/** `index,manifest:key` is meant for both. */
function annotationKeys(key: string): string[] {
  const [, types, rest = ""] = /^([^:]*):(.*)$/s.exec(key) ?? [];
  if (types === undefined) return [key];
  const places = types.split(/,(?![^[]*\])/);
  for (const place of places) checkAnnotated(place);
  return places.map((place) => `${place}:${rest}`);
}

function checkAnnotated(place: string): void {
  const [, type = ""] = /^([a-z-]+)(?:\[.*\])?$/.exec(place) ?? [];
  const why =
    type === ""
      ? `invalid annotation type ${JSON.stringify(place)}, expected type and optional platform in square brackets`
      : `unknown annotation type ${JSON.stringify(type)}`;
  if (!annotated.includes(type)) throw buildError(`parse annotations: ${why}`);
}

function checkedPlatform(text: string): string {
  if (text === "local") return "";
  try {
    return formatPlatform(parsePlatform(text));
  } catch (error) {
    throw buildError(messageOf(error));
  }
}

function checkedTag(tag: string): string {
  if (tag === "") throw buildError('invalid tag "": repository name must have at least one component');
  try {
    parseReference(tag);
    return tag;
  } catch (error) {
    const reason = messageOf(error).replace(
      /^invalid reference format: repository name \(.*\) must/,
      "repository name must",
    );
    throw buildError(`invalid tag ${JSON.stringify(tag)}: ${reason}`);
  }
}

function checkedHost(text: string): string {
  try {
    return extraHost(text);
  } catch {
    throw buildError(`invalid host ${text}`);
  }
}

function noCache({ noCache: all, noCacheFilter }: BuildFlags): { noCache: boolean; noCacheStages: string[] } {
  if (all && noCacheFilter.length > 0)
    throw buildError("--no-cache and --no-cache-filter cannot currently be used together");
  // an empty list of names is no filter: nothing is taken from the cache
  const isEmpty = noCacheFilter.length > 0 && noCacheFilter.join(",") === "";
  return { noCache: all || isEmpty, noCacheStages: isEmpty ? [] : [...noCacheFilter] };
}

function networkMode(mode: string): string {
  return mode === "" ? "default" : mode;
}

function resources(flags: BuildFlags): LocalBuildResources {
  const numbers = {
    memory: flags.memory,
    memorySwap: flags.memorySwap,
    cpuShares: flags.cpuShares,
    cpuPeriod: flags.cpuPeriod,
    cpuQuota: flags.cpuQuota,
    shmSize: flags.shmSize,
    cpusetCpus: flags.cpusetCpus,
    cpusetMems: flags.cpusetMems,
    cgroupParent: flags.cgroupParent,
  };
  const given = Object.entries(numbers).filter(([, value]) => value !== 0 && value !== "");
  return { ...Object.fromEntries(given), ulimits: flags.ulimit.map(ulimit) };
}

const entitlements: readonly string[] = ["network.host", "security.insecure", "device"];

function entitlement(text: string): string {
  const [name = ""] = text.split("=", 1);
  if (entitlements.includes(name) || /^(?:fs|ssh)(?:\.|$)/.test(name)) return text;
  throw buildError(`unknown entitlement ${text}`);
}
