import { EngineError } from "../../lib/errors.ts";
import type { ContainerCreateRequest } from "../../types/api.ts";

/** What a create request of an older API version means in today's terms. */
export function upgradeCreate(body: ContainerCreateRequest, minor: number): ContainerCreateRequest {
  if (minor >= 44) return body;
  const networks = Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {});
  if (networks.length > 1)
    throw new EngineError(
      "invalid",
      `Container cannot be created with network endpoints to more than one network: ${networks.join(", ")}`,
    );
  if (!body.HostConfig) return body;
  const hostConfig = { ...body.HostConfig };
  if (minor < 43) delete hostConfig.Annotations;
  if (minor < 42) hostConfig.ConsoleSize = [0, 0];
  if (minor < 41 && !hostConfig.CgroupnsMode) hostConfig.CgroupnsMode = "host";
  if (minor < 40 && !hostConfig.IpcMode) hostConfig.IpcMode = "shareable";
  return { ...body, HostConfig: hostConfig };
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
