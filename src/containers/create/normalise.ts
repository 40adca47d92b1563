import { hostname as hostHostname } from "node:os";
import { EngineError } from "../../lib/errors.ts";
import { defaultMaskedPaths, defaultReadonlyPaths } from "../../runtime/spec/paths.ts";
import type { ContainerConfig, EndpointSettings, HostConfig } from "../../types/api.ts";
import type { ImageConfig } from "../../types/oci.ts";
import type { ContainersConfig } from "../config.ts";
import { cleanPath } from "./bind-spec.ts";
import type { CreateBody } from "./body.ts";
import { commandOf, mergeImageConfig } from "./merge.ts";

interface NormaliseInput {
  id: string;
  body: CreateBody;
  imageConfig: ImageConfig;
  engine: ContainersConfig;
  cgroupVersion: "1" | "2";
  /** full id of another container, for `container:<name>` */
  containerId: (idOrName: string) => string | undefined;
  /** a network's name, by name or id */
  networkName: (nameOrId: string) => string | undefined;
}

export interface Normalised {
  config: ContainerConfig;
  hostConfig: HostConfig;
  networks: Record<string, Partial<EndpointSettings>>;
  path: string;
  args: string[];
}

/**
 * Makes a request complete, once: what the image gives, the engine's defaults, Docker's own. Nothing below fills in a
 * default again.
 */
export function normalise(input: NormaliseInput): Normalised {
  const merged = mergeImageConfig(input.body.config, input.imageConfig.config ?? {});
  const { path, args } = commandOf(merged);
  const hostConfig = completeHost(input);
  const { MacAddress: mac = "", ...rest } = merged;
  const config: ContainerConfig = {
    ...rest,
    Hostname: merged.Hostname || defaultHostname(input.id, hostConfig),
    WorkingDir: merged.WorkingDir === "" ? "" : cleanPath(merged.WorkingDir),
  };
  return { config, hostConfig, networks: networksOf(input, hostConfig, mac), path, args };
}

const defaultHostname = (id: string, host: HostConfig): string =>
  host.NetworkMode === "host" ? hostHostname() : id.slice(0, 12);

const joinedMode = (mode: string, { containerId }: NormaliseInput): string => {
  // that nobody is named is told at start
  if (!mode.startsWith("container:") || mode === "container:") return mode;
  const found = containerId(mode.slice("container:".length));
  return found === undefined ? mode : `container:${found}`;
};

/** Whose processes or memory are to be shared must be there already; a network's owner may come later. */
function existing(mode: string, { containerId }: NormaliseInput): string {
  const name = mode.startsWith("container:") ? mode.slice("container:".length) : "";
  if (name !== "" && containerId(name) === undefined)
    throw new EngineError("invalid", `No such container: ${name}`);
  return mode;
}

/** Who sees the host's namespaces is not confined by labels, unless a label was asked for. */
const withoutLabels = (asked: readonly string[]): string[] =>
  asked.some((option) => option.split("=")[0] === "label") ? [...asked] : [...asked, "label=disable"];

function completeHost(input: NormaliseInput): HostConfig {
  const { engine, cgroupVersion } = input;
  const host = input.body.hostConfig;
  const unmasked = host.Privileged;
  const paths = (own: string[] | null, standard: readonly string[]) =>
    own ?? (unmasked ? null : [...standard]);
  const wantsHostNamespaces = host.Privileged || host.PidMode === "host" || host.IpcMode === "host";
  const init = host.Init;
  return {
    ...host,
    LogConfig: logConfig(host.LogConfig, engine),
    NetworkMode: joinedMode(
      host.NetworkMode === "" || host.NetworkMode === "default" ? "bridge" : host.NetworkMode,
      input,
    ),
    RestartPolicy: { ...host.RestartPolicy, Name: host.RestartPolicy.Name || "no" },
    CgroupnsMode: host.CgroupnsMode || cgroupnsMode(host, engine, cgroupVersion),
    IpcMode: existing(joinedMode(host.IpcMode || engine.defaultIpcMode, input), input),
    PidMode: existing(joinedMode(host.PidMode, input), input),
    SecurityOpt: wantsHostNamespaces ? withoutLabels(host.SecurityOpt ?? []) : host.SecurityOpt,
    ShmSize: host.ShmSize || engine.defaultShmSize,
    Runtime: host.Runtime || engine.defaultRuntime,
    MemorySwap: host.Memory > 0 && host.MemorySwap === 0 ? host.Memory * 2 : host.MemorySwap,
    MemorySwappiness: host.MemorySwappiness === -1 ? null : host.MemorySwappiness,
    OomKillDisable: cgroupVersion === "2" ? null : (host.OomKillDisable ?? false),
    PidsLimit: host.PidsLimit !== null && host.PidsLimit > 0 ? host.PidsLimit : null,
    MaskedPaths: paths(host.MaskedPaths, defaultMaskedPaths),
    ReadonlyPaths: paths(host.ReadonlyPaths, defaultReadonlyPaths),
    ...(init === undefined ? {} : { Init: init }),
  };
}

/** The engine's options are those of its own driver only. */
function logConfig({ Type: asked, Config }: HostConfig["LogConfig"], engine: ContainersConfig) {
  const Type = asked || engine.logDriver;
  return { Type, Config: Type === engine.logDriver ? { ...engine.logOptions, ...Config } : Config };
}

function cgroupnsMode(host: HostConfig, engine: ContainersConfig, version: "1" | "2"): string {
  return engine.defaultCgroupnsMode ?? (version === "2" && !host.Privileged ? "private" : "host");
}

/**
 * The endpoints a container will have, by the networks' names; a network that is not there yet by what it was called.
 * Where endpoints are named, they are all: the mode's own network is joined only where nothing else was said.
 */
function networksOf(
  { body, networkName }: NormaliseInput,
  host: HostConfig,
  containerMac: string,
): Record<string, Partial<EndpointSettings>> {
  if (host.NetworkMode.startsWith("container:")) return {};
  const nameOf = (nameOrId: string): string =>
    nameOrId === "default" ? "bridge" : (networkName(nameOrId) ?? nameOrId);
  const asked: Record<string, Partial<EndpointSettings>> = {};
  for (const [given, endpoint] of Object.entries(body.endpoints)) {
    const name = nameOf(given);
    if (endpoint === null)
      throw new EngineError("invalid", `invalid config for network ${name}: EndpointsConfig is nil`);
    asked[name] = endpoint;
  }
  const mode = nameOf(host.NetworkMode);
  // only what has an interface of its own has an address
  const mac = mode === "host" || mode === "none" ? "" : containerMac;
  const own = asked[mode];
  if (mac !== "" && !/^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$/.test(mac))
    throw new EngineError("invalid", `invalid config for network ${mode}: invalid MAC address ${mac}`);
  const named = Object.keys(asked).length > 0;
  if (named && !own && mode !== "host") {
    if (mac === "") return asked;
    throw new EngineError("invalid", unplacedMac);
  }
  if (mac !== "" && own?.MacAddress && own.MacAddress !== mac) throw new EngineError("invalid", otherMac);
  const first = { ...(own ?? {}), ...(mac === "" ? {} : { MacAddress: mac }) };
  return { [mode]: first, ...Object.fromEntries(Object.entries(asked).filter(([name]) => name !== mode)) };
}

const unplacedMac =
  "unable to migrate container-wide MAC address to a specific network: HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks";
const otherMac =
  "the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty";
