import { signalNumber } from "../../lib/container/signals.ts";
import { EngineError } from "../../lib/errors.ts";
import { goBool } from "../../lib/go/bool.ts";
import { parsePort, parseRange } from "../../lib/net/ports.ts";
import { resolveCapabilities } from "../../runtime/spec/capabilities.ts";
import type { ContainerConfig, HostConfig } from "../../types/api.ts";
import { failureAction } from "../health/on-failure.ts";
import { readTest } from "../health/test.ts";
import { type HostFacts, refuseQos, validateResources } from "./resources.ts";

const invalid = (sentence: string): never => {
  throw new EngineError("invalid", sentence);
};
/** Docker answers these with status 500. */
const invalid500 = (sentence: string): never => {
  throw new EngineError("internal", sentence);
};
const unbuilt = (option: string): never => {
  throw new EngineError("notImplemented", `${option} is not built yet`);
};

interface ValidateContext {
  facts: HostFacts;
  runtimes: ReadonlySet<string>;
}

/**
 * Refuses every request that could not run, in Docker's words and order: what its decoder refuses, what every platform
 * refuses, what Linux cannot do. Returns what the user should be warned of. What needs the image comes after it.
 */
export function validate(
  config: ContainerConfig,
  hostConfig: HostConfig,
  context: ValidateContext,
): string[] {
  validateConflicts(config, hostConfig);
  refuseQos(hostConfig);
  validateConfig(config);
  validateHealth(config, hostConfig);
  validateHost(hostConfig);
  const warnings = validateResources(hostConfig, context.facts);
  validateNamespaces(hostConfig);
  validatePlatform(hostConfig, context);
  if (hostConfig.NetworkMode === "host" && Object.keys(hostConfig.PortBindings ?? {}).length > 0)
    warnings.push("Published ports are discarded when using host network mode");
  if (config.MacAddress)
    warnings.push(
      "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.",
    );
  return warnings;
}

/** What Docker looks at once it has the image and the name. */
export function validateLate(hostConfig: HostConfig): void {
  validateSecurity(hostConfig.SecurityOpt ?? []);
  validateStorage(hostConfig);
}

/** The engine's own kinds of check, and what follows a failure. */
function validateHealth(config: ContainerConfig, hostConfig: HostConfig): void {
  const test = config.Healthcheck && readTest(config.Healthcheck, config.Shell);
  if (test?.kind === "log" && hostConfig.LogConfig.Type === "none")
    invalid("a health check of kind LOG needs a log: the log driver is none");
  failureAction(hostConfig);
}

function validateConfig(config: ContainerConfig): void {
  if (config.WorkingDir !== "" && !config.WorkingDir.startsWith("/"))
    invalid(`the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`);
  for (const assignment of config.Env ?? []) {
    if (assignment === "" || assignment.startsWith("="))
      invalid(`invalid environment variable: ${assignment}`);
    if (assignment.includes("\0")) invalid("an environment variable holds a NUL byte");
  }
  for (const word of [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])])
    if (word.includes("\0")) invalid("an argument of the command holds a NUL byte");
  if (config.StopSignal && signalNumber(config.StopSignal) === undefined)
    invalid(`invalid signal: ${config.StopSignal}`);
  const health = config.Healthcheck;
  const least = 1_000_000;
  for (const [name, value] of [
    ["Interval", health?.Interval],
    ["Timeout", health?.Timeout],
    ["StartPeriod", health?.StartPeriod],
    ["StartInterval", health?.StartInterval],
  ] as const)
    if (value !== undefined && value !== 0 && value < least)
      invalid(`${name} in Healthcheck cannot be less than 1ms`);
  if ((health?.Retries ?? 0) < 0) invalid("Retries in Healthcheck cannot be negative");
}

/** What may not be said together with another's network or UTS namespace. */
function validateConflicts(config: ContainerConfig, host: HostConfig): void {
  const network = host.NetworkMode;
  if (network.startsWith("container:") || network === "container") {
    if (network.slice("container:".length) === "")
      invalid("invalid network mode: invalid container format container:<name|id>");
    if (config.Hostname !== "") invalid("conflicting options: hostname and the network mode");
    if ((host.Links ?? []).length > 0)
      invalid(
        "conflicting options: container type network can't be used with links. This would result in undefined behavior",
      );
    if ((host.Dns ?? []).length > 0) invalid("conflicting options: dns and the network mode");
    if ((host.ExtraHosts ?? []).length > 0)
      invalid("conflicting options: custom host-to-IP mapping and the network mode");
    if (Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts)
      invalid("conflicting options: port publishing and the container type network mode");
    if (Object.keys(config.ExposedPorts ?? {}).length > 0)
      invalid("conflicting options: port exposing and the container type network mode");
  }
  if (network === "host" && (host.Links ?? []).length > 0)
    invalid(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  if (host.UTSMode === "host" && config.Hostname !== "")
    invalid("conflicting options: hostname and the UTS mode");
  if (!["", "default"].includes(host.Isolation))
    invalid(`invalid isolation (${host.Isolation}): linux only supports 'default'`);
}

/** The modes' own grammar. */
function validateNamespaces(host: HostConfig): void {
  if (!["", "host"].includes(host.UTSMode)) invalid(`invalid UTS mode: ${host.UTSMode}`);
  const joins = (mode: string): boolean => /^container:.+/.test(mode);
  if (!["", "host"].includes(host.PidMode) && !joins(host.PidMode))
    invalid(`invalid PID mode: ${host.PidMode}`);
  if (
    !["", "host", "none", "private", "shareable"].includes(host.IpcMode) &&
    !host.IpcMode.startsWith("container:")
  )
    invalid(`invalid IPC mode: ${host.IpcMode}`);
  if (!["", "host", "private"].includes(host.CgroupnsMode))
    invalid(`invalid cgroup namespace mode: ${host.CgroupnsMode}`);
}

function validateHost(host: HostConfig): void {
  if (host.AutoRemove && !["", "no"].includes(host.RestartPolicy.Name))
    invalid("can't create 'AutoRemove' container with restart policy");
  for (const entry of host.ExtraHosts ?? []) {
    const at = entry.search(/[:=]/);
    if (at <= 0) invalid(`bad format for add-host: "${entry}"`);
    const address = entry.slice(at + 1).replace(/^\[(.*)\]$/, "$1");
    if (address !== "host-gateway" && !isAddress(address))
      invalid(`invalid IP address in add-host: "${address}"`);
  }
  validatePorts(host);
  validateRestart(host);
  // refuses names that no kernel knows
  resolveCapabilities({ add: host.CapAdd ?? [], drop: host.CapDrop ?? [], privileged: false });
  for (const key of Object.keys(host.Annotations ?? {}))
    if (key === "") invalid("invalid Annotations: the empty string is not permitted as an annotation key");
}

function validatePlatform(host: HostConfig, { runtimes }: ValidateContext): void {
  if (host.Runtime !== "" && !runtimes.has(host.Runtime))
    invalid(`unknown or invalid runtime name: ${host.Runtime}`);
  if (host.UsernsMode !== "" && host.UsernsMode !== "host") unbuilt(`a user namespace (${host.UsernsMode})`);
}

function validateStorage(host: HostConfig): void {
  for (const [key] of Object.entries(host.StorageOpt ?? {}))
    invalid500(
      key === "size"
        ? "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"
        : `Unknown option ${key}`,
    );
}

const isAddress = (text: string): boolean =>
  /^(\d{1,3}\.){3}\d{1,3}$/.test(text)
    ? text.split(".").every((part) => Number(part) < 256)
    : /^[0-9a-fA-F:.%]*:[0-9a-fA-F:.%\w]*$/.test(text);

export function validateRestart(host: HostConfig): void {
  const { Name: name, MaximumRetryCount: retries } = host.RestartPolicy;
  if (!["", "no", "always", "on-failure", "unless-stopped"].includes(name))
    invalid(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  if (name !== "on-failure" && retries !== 0)
    invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  if (retries < 0) invalid("invalid restart policy: maximum retry count cannot be negative");
}

function validatePorts(host: HostConfig): void {
  for (const [port, bindings] of Object.entries(host.PortBindings ?? {})) {
    const [range = ""] = port.split("/");
    if (parseRange(range) === undefined) invalid(`invalid port specification: "${range}"`);
    if (parsePort(port) === undefined) invalid(`invalid port specification: "${port}"`);
    for (const { HostPort } of bindings ?? [])
      if (HostPort !== "" && parseRange(HostPort) === undefined)
        invalid(`invalid port specification: "${HostPort}"`);
  }
}

function validateSecurity(options: readonly string[]): void {
  for (const option of options) {
    if (option === "no-new-privileges" || option === "disable") continue;
    const at = option.search(/[=:]/);
    if (at < 0) invalid500(`invalid --security-opt 1: "${option}"`);
    const [key, value] = [option.slice(0, at), option.slice(at + 1)];
    const known = ["label", "apparmor", "seccomp", "no-new-privileges", "writable-cgroups"].includes(key);
    if (!known) invalid500(`invalid --security-opt 2: "${option}"`);
    const needsBool = key === "no-new-privileges" || key === "writable-cgroups";
    if (needsBool && goBool(value) === undefined) invalid500(`invalid --security-opt 2: "${option}"`);
  }
}
