import type { ContainerInspect } from "../../types/api.ts";
import type { ImageRunConfig } from "../../types/oci.ts";
import { health } from "./health.ts";
import { limits } from "./limits.ts";
import { networks } from "./networks.ts";
import { each, given, type Option, pairs, type Recipe, when } from "./option.ts";
import { storage } from "./storage.ts";

/** What the engine gives a container that asks for nothing. */
export interface EngineDefaults {
  runtime: string;
  cgroupVersion: string;
  logDriver: string;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** Takes from a container what its image and the engine gave, and leaves what its user asked for. */
export function recipeOf(container: ContainerInspect, image: ImageRunConfig, engine: EngineDefaults): Recipe {
  const { Config: config, HostConfig: host } = container;
  const notes: string[] = [];
  const { command, entrypoint } = commandOf(container, image);
  const options = [
    ...identity(container),
    ...streams(container),
    ...environment(container, image),
    ...given("--user", "user", config.User === image.User ? "" : config.User),
    ...given("--workdir", "working_dir", config.WorkingDir === image.WorkingDir ? "" : config.WorkingDir),
    ...given("--stop-signal", "stop_signal", config.StopSignal === image.StopSignal ? "" : config.StopSignal),
    ...stopTimeout(config.StopTimeout),
    ...health(config.Healthcheck, image.Healthcheck, host.Annotations),
    ...lifeOptions(container, engine),
    ...networks(container, image),
    ...storage(container, image),
    ...limits(host),
    ...security(container, engine, notes),
  ];
  return {
    name: container.Name.slice(1),
    image: config.Image || container.Image,
    options,
    command,
    entrypoint,
    notes,
  };
}

function commandOf(
  { Config: { Cmd, Entrypoint } }: ContainerInspect,
  image: ImageRunConfig,
): Pick<Recipe, "command" | "entrypoint"> {
  const inherits = same(Entrypoint, image.Entrypoint);
  const words = Cmd ?? [];
  // an image's command is inherited only together with its entrypoint
  const hides = inherits && words.length === 0 && (image.Cmd ?? []).length > 0;
  if (inherits && !hides) return { command: same(Cmd, image.Cmd) ? undefined : words, entrypoint: undefined };
  return { command: words, entrypoint: Entrypoint ?? [] };
}

function identity({ Id, Config, HostConfig }: ContainerInspect): Option[] {
  const ownHostname =
    Config.Hostname !== Id.slice(0, 12) && !/^(host$|container:)/.test(HostConfig.NetworkMode);
  return [
    ...given("--hostname", "hostname", ownHostname && HostConfig.UTSMode !== "host" ? Config.Hostname : ""),
    ...given("--domainname", "domainname", Config.Domainname),
  ];
}

/** `--detach` where nothing was attached; `--attach` where not all was. Compose always detaches. */
function streams({ Config }: ContainerInspect): Option[] {
  const { AttachStdin, AttachStdout, AttachStderr, OpenStdin, Tty } = Config;
  const attached = [
    ...(AttachStdin && !OpenStdin ? ["stdin"] : []),
    ...(AttachStdout ? ["stdout"] : []),
    ...(AttachStderr ? ["stderr"] : []),
  ];
  const usual = attached.length === 2 && AttachStdout && AttachStderr;
  return [
    ...(AttachStdin || attached.length > 0 ? [] : [{ flag: "--detach" }]),
    ...(usual ? [] : attached.map((value) => ({ flag: "--attach", value }))),
    ...when(OpenStdin, "--interactive", "stdin_open"),
    ...when(Tty, "--tty", "tty"),
  ];
}

function environment({ Config }: ContainerInspect, image: ImageRunConfig): Option[] {
  const inherited = new Set(image.Env ?? []);
  const labels = Object.fromEntries(
    Object.entries(Config.Labels).filter(([key, value]) => image.Labels?.[key] !== value),
  );
  return [
    ...each(
      "--env",
      "environment",
      (Config.Env ?? []).filter((one) => !inherited.has(one)),
    ),
    ...pairs("--label", "labels", labels),
  ];
}

const stopTimeout = (seconds: number | undefined): Option[] =>
  seconds === undefined
    ? []
    : [{ flag: "--stop-timeout", value: String(seconds), key: "stop_grace_period", composed: `${seconds}s` }];

const ownAnnotation = "berth.health.on-failure";

function lifeOptions({ HostConfig: host }: ContainerInspect, engine: EngineDefaults): Option[] {
  const { Name, MaximumRetryCount: retries } = host.RestartPolicy;
  const policy = Name === "" || Name === "no" ? "" : `${Name}${retries > 0 ? `:${retries}` : ""}`;
  const annotations = Object.fromEntries(
    Object.entries(host.Annotations ?? {}).filter(([key]) => key !== ownAnnotation),
  );
  const { Type, Config } = host.LogConfig;
  return [
    ...given("--restart", "restart", policy),
    ...(host.AutoRemove ? [{ flag: "--rm" }] : []),
    ...(host.Init === undefined || host.Init === null
      ? []
      : [{ flag: `--init${host.Init ? "" : "=false"}`, key: "init", composed: host.Init }]),
    ...given("--runtime", "runtime", host.Runtime === engine.runtime ? "" : host.Runtime),
    ...given("--log-driver", "logging.driver", Type === engine.logDriver ? "" : Type),
    ...pairs("--log-opt", "logging.options", Config),
    ...pairs("--annotation", "annotations", annotations),
  ];
}

function security({ HostConfig: host }: ContainerInspect, engine: EngineDefaults, notes: string[]): Option[] {
  const hostNamespaces = host.Privileged || host.PidMode === "host" || host.IpcMode === "host";
  const standard = engine.cgroupVersion === "2" && !host.Privileged ? "private" : "host";
  const asked = (host.SecurityOpt ?? []).filter((option) => !(hostNamespaces && option === "label=disable"));
  const profiles = asked.filter((option) => /^seccomp[=:]\s*\{/.test(option));
  if (profiles.length > 0)
    notes.push("its seccomp profile is left out: write it to a file and add --security-opt seccomp=FILE");
  const bare = host.MaskedPaths?.length === 0 && host.ReadonlyPaths?.length === 0 && !host.Privileged;
  const options = [
    ...asked.filter((option) => !profiles.includes(option)),
    ...(bare ? ["systempaths=unconfined"] : []),
  ];
  return [
    ...when(host.Privileged, "--privileged", "privileged"),
    ...when(host.ReadonlyRootfs, "--read-only", "read_only"),
    ...each("--cap-add", "cap_add", host.CapAdd),
    ...each("--cap-drop", "cap_drop", host.CapDrop),
    ...each("--security-opt", "security_opt", options),
    ...each("--group-add", "group_add", host.GroupAdd),
    ...given("--cgroupns", "cgroup", host.CgroupnsMode === standard ? "" : host.CgroupnsMode),
    ...given("--ipc", "ipc", host.IpcMode === "private" ? "" : host.IpcMode),
    ...given("--pid", "pid", host.PidMode),
    ...given("--userns", "userns_mode", host.UsernsMode),
    ...given("--uts", "uts", host.UTSMode),
    ...pairs("--sysctl", "sysctls", host.Sysctls),
  ];
}
