import { EngineError } from "../../lib/errors.ts";
import type { ContainerCreateRequest, EndpointSettings, HostConfig, MountRequest } from "../../types/api.ts";

const invalid = (sentence: string): never => {
  throw new EngineError("invalid", sentence);
};

/**
 * What a create request of an older API version means in today's terms: fields that came later are passed over, or
 * refused where passing them over would break what the client relies on.
 */
export function upgradeCreate(body: ContainerCreateRequest, minor: number): ContainerCreateRequest {
  if (minor >= 48) return body;
  const upgraded = { ...body };
  upgraded.HostConfig = upgradeHost(body.HostConfig ?? {}, minor);
  if (minor < 44 && body.Healthcheck) upgraded.Healthcheck = { ...body.Healthcheck, StartInterval: 0 };
  const endpoints = Object.entries(body.NetworkingConfig?.EndpointsConfig ?? {});
  if (minor < 44 && endpoints.length > 1) {
    const names = endpoints.map(([name]) => name).join(", ");
    invalid(`Container cannot be created with multiple network endpoints: ${names}`);
  }
  const older = endpoints.map(
    ([name, endpoint]) => [name, endpoint && { ...endpoint, GwPriority: 0 }] as const,
  );
  const settings = minor < 44 ? withOneMac(upgraded, older) : older;
  upgraded.NetworkingConfig = { EndpointsConfig: Object.fromEntries(settings) };
  return upgraded;
}

type Endpoint = readonly [string, Partial<EndpointSettings> | null];

/** Before API 1.44 the container's MAC address was that of its one endpoint, and an endpoint's own counted for nothing. */
function withOneMac(body: ContainerCreateRequest, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const { MacAddress = "", HostConfig: host } = body;
  delete body.MacAddress;
  if (MacAddress === "")
    return endpoints.map(([name, endpoint]) => [name, endpoint && { ...endpoint, MacAddress }]);
  const mode = host?.NetworkMode || "default";
  if (mode === "host" || mode === "none" || mode.startsWith("container:"))
    invalid("conflicting options: mac-address and the network mode");
  const named: readonly Endpoint[] = endpoints.length > 0 ? endpoints : [[mode, {}]];
  return named.map(([name, endpoint]) => [name, { ...endpoint, MacAddress }]);
}

function upgradeHost(asked: Partial<HostConfig>, minor: number): Partial<HostConfig> {
  const host = { ...asked };
  if (minor < 43) delete host.Annotations;
  if (minor < 42) host.ConsoleSize = [0, 0];
  if (minor < 41 && !host.CgroupnsMode) host.CgroupnsMode = "host";
  if (minor < 40 && !host.IpcMode) host.IpcMode = "shareable";
  if (minor < 25) host.AutoRemove = false;
  if (host.Mounts) host.Mounts = host.Mounts.map((mount) => upgradeMount(mount, minor));
  return host;
}

function upgradeMount(asked: MountRequest, minor: number): MountRequest {
  const { BindOptions: bind, ...mount } = asked;
  if (asked.Type === "image") invalid('Mount type "Image" needs API v1.48 or newer');
  if (minor < 45 && asked.VolumeOptions?.Subpath) invalid("VolumeOptions.Subpath needs API v1.45 or newer");
  if (minor < 44 && asked.Type === "bind" && bind?.ReadOnlyForceRecursive)
    invalid("BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer");
  if (minor < 42 && asked.Type !== "tmpfs") delete mount.TmpfsOptions;
  if (!bind) return mount;
  const options = { ...bind };
  // what is mounted below a read-only mount stayed writable
  if (minor < 44 && asked.Type === "bind" && asked.ReadOnly) options.ReadOnlyNonRecursive = true;
  if (minor < 42) delete options.CreateMountpoint;
  if (minor < 40) delete options.NonRecursive;
  return { ...mount, BindOptions: options };
}

/** The size of the console at `exec create` and `exec start` counts from API 1.42 on. */
export function upgradeConsoleSize<Body extends { ConsoleSize?: [number, number] | null }>(
  body: Body,
  minor: number,
): Body {
  return minor >= 42 ? body : { ...body, ConsoleSize: null };
}

/** `signal` of stop and restart counts from API 1.42 on. */
export const stopSignal = (signal: string, minor: number): string | undefined =>
  minor >= 42 && signal !== "" ? signal : undefined;
