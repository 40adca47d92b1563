import { EngineError } from "../../lib/errors.ts";
import type { ContainerConfig, ExposedPorts } from "../../types/api.ts";
import type { HealthConfig, ImageRunConfig } from "../../types/oci.ts";

const nameOf = (assignment: string): string => assignment.split("=", 1)[0] ?? "";

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Undefined where both are empty: an empty set asked for is none to Docker. */
function union<T>(own: Record<string, T> | null | undefined, image: Record<string, T> | null | undefined) {
  const all = { ...image, ...own };
  return Object.keys(all).length === 0 ? undefined : sorted(all);
}

/** The user's variables first, then those of the image that the user did not set. */
function mergeEnv(own: string[] | null, image: readonly string[]): string[] | null {
  if (!own || own.length === 0) return image.length > 0 ? [...image] : own;
  const names = new Set(own.map(nameOf));
  return [...own, ...image.filter((assignment) => !names.has(nameOf(assignment)))];
}

function mergeHealth(
  own: HealthConfig | undefined,
  image: HealthConfig | undefined,
): HealthConfig | undefined {
  if (!image || !own) return own ?? image;
  if (own.Test && own.Test.length > 0) return { ...image, ...own };
  const test = image.Test ? { Test: image.Test } : {};
  return { ...test, ...image, ...own, ...test };
}

/** What the container inherits from its image where the user said nothing: Docker's rules, field by field. */
export function mergeImageConfig(own: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  const entrypoint = own.Entrypoint;
  const emptied = entrypoint?.length === 1 && entrypoint[0] === "";
  const hasEntrypoint = !emptied && entrypoint !== null && entrypoint.length > 0;
  const hasCmd = own.Cmd !== null && own.Cmd.length > 0;
  const exposed = union<ExposedPorts[string]>(own.ExposedPorts, image.ExposedPorts);
  const healthcheck = mergeHealth(own.Healthcheck, image.Healthcheck);
  const stopSignal = own.StopSignal ?? image.StopSignal;
  const merged: ContainerConfig = {
    ...own,
    User: own.User || (image.User ?? ""),
    ...(exposed ? { ExposedPorts: exposed } : {}),
    Env: mergeEnv(own.Env, image.Env ?? []),
    Labels: sorted({ ...(image.Labels ?? {}), ...own.Labels }),
    Cmd: hasEntrypoint || emptied || hasCmd ? own.Cmd : (image.Cmd ?? own.Cmd),
    Entrypoint: emptied
      ? null
      : entrypoint === null && !hasEntrypoint
        ? (image.Entrypoint ?? null)
        : entrypoint,
    ...(healthcheck ? { Healthcheck: healthcheck } : {}),
    WorkingDir: own.WorkingDir || (image.WorkingDir ?? ""),
    Volumes: union(own.Volumes, image.Volumes) ?? null,
    ...(stopSignal ? { StopSignal: stopSignal } : {}),
  };
  return inOrder(merged);
}

/** `inspect` prints fields in the type's order whatever was set last. */
export function inOrder(config: ContainerConfig): ContainerConfig {
  const order = [
    "Hostname",
    "Domainname",
    "User",
    "AttachStdin",
    "AttachStdout",
    "AttachStderr",
    "ExposedPorts",
    "Tty",
    "OpenStdin",
    "StdinOnce",
    "Env",
    "Cmd",
    "Healthcheck",
    "ArgsEscaped",
    "Image",
    "Volumes",
    "WorkingDir",
    "Entrypoint",
    "NetworkDisabled",
    "MacAddress",
    "OnBuild",
    "Labels",
    "StopSignal",
    "StopTimeout",
    "Shell",
  ] as const satisfies readonly (keyof ContainerConfig)[];
  return Object.fromEntries(
    order.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]])),
  ) as unknown as ContainerConfig;
}

/** The process that entrypoint and command make together. */
export function commandOf(config: ContainerConfig): { path: string; args: string[] } {
  const [path, ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (path === undefined) throw new EngineError("invalid", "no command specified");
  return { path, args };
}
