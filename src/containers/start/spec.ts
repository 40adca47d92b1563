import { EngineError } from "../../lib/errors.ts";
import type { IdMap } from "../../lib/users/id-map.ts";
import { configFailure } from "../../runtime/oci-runtime/failure.ts";
import { buildSpec } from "../../runtime/spec/build.ts";
import { resolveCapabilities } from "../../runtime/spec/capabilities.ts";
import type { MountInput, ProcessInput, SpecInput } from "../../runtime/spec/input.ts";
import { buildProcess, oomScore } from "../../runtime/spec/process.ts";
import { makeFolderBeneath } from "../../system/files/beneath.ts";
import type { HostConfig } from "../../types/api.ts";
import type { Process, Spec } from "../../types/runtime-spec.ts";
import { applyEdits } from "../cdi/apply.ts";
import type { CdiEdits } from "../cdi/spec-files.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import type { Exec } from "../exec/exec.ts";
import { linkedEnvironment } from "../links/start.ts";
import { remapOf, rootOwner } from "../remap.ts";
import { devicesOf } from "./devices.ts";
import { environmentOf } from "./environment.ts";
import type { NameFiles } from "./files.ts";
import { joinedContainer } from "./join-mode.ts";
import { type JoinedNamespaces, namespacesOf } from "./namespaces.ts";
import { resourcesOf } from "./resources.ts";
import { securityOf } from "./security.ts";
import { userIn } from "./user.ts";

/** What a start has made ready before the spec is written. */
interface SpecParts {
  root: string;
  netnsPath: string | undefined;
  /** others' namespaces, held */
  joined: JoinedNamespaces;
  /** path of the user namespace it is to be in, held; undefined = the host's */
  userns: string | undefined;
  files: NameFiles;
  mounts: readonly MountInput[];
  /** a command of its own on the same files, under another id */
  visit?: { id: string; process: ProcessInput };
  /** what devices asked for by name add */
  edits: readonly CdiEdits[];
}

/** The OCI spec of a container: the same input always gives the same spec. */
export function specFor(ctx: Context, container: Container, parts: SpecParts): Spec {
  const { config, hostConfig } = container.spec;
  const security = securityOf(ctx.config, hostConfig, ctx.runtime.facts.apparmor);
  const process = parts.visit?.process ?? processOf(ctx, container, parts.root, ownRights(container));
  if (config.WorkingDir !== "")
    makeFolderBeneath(parts.root, config.WorkingDir, 0o755, rootOwner(ctx, container));
  const init = initOf(ctx, hostConfig);
  refuseSysctls(hostConfig);
  if (config.Domainname !== "" && hostConfig.UTSMode === "host")
    throw configFailure('sysctl "kernel.domainname" is not in a separate kernel namespace');
  const devices = devicesOf(hostConfig);
  const namespaces = namespacesOf(container, parts.joined, parts.netnsPath);
  const input: SpecInput = {
    process,
    hostname: namespaces.uts === "private" ? config.Hostname : "",
    ...(config.Domainname === "" ? {} : { domainname: config.Domainname }),
    rootfs: { path: parts.root, readonly: hostConfig.ReadonlyRootfs },
    namespaces: {
      ...namespaces,
      ...(parts.userns === undefined ? {} : { user: { path: parts.userns } }),
    },
    cgroupsPath: ctx.runtime.cgroupPathFor(
      parts.visit?.id ?? container.id,
      ...(hostConfig.CgroupParent === "" ? [] : [hostConfig.CgroupParent]),
    ),
    mounts: [...nameFileMounts(ctx, parts, hostConfig.ReadonlyRootfs), ...parts.mounts],
    shmSize: hostConfig.ShmSize,
    privileged: hostConfig.Privileged,
    resources: resourcesOf(hostConfig),
    devices: devices.devices,
    deviceRules: devices.rules,
    sysctls: { ...networkSysctls(hostConfig, remapOf(ctx, container)), ...hostConfig.Sysctls },
    maskedPaths: hostConfig.MaskedPaths ?? [],
    readonlyPaths: hostConfig.ReadonlyPaths ?? [],
    seccomp: security.seccomp,
    ...(init === undefined ? {} : { init }),
    ...(hostConfig.Annotations ? { annotations: hostConfig.Annotations } : {}),
  };
  const spec = buildSpec(input);
  // an IPC namespace of its own, and nothing to share memory with
  if (hostConfig.IpcMode === "none")
    spec.mounts = spec.mounts.filter(({ destination }) => destination !== "/dev/shm");
  applyEdits(spec, parts.edits);
  return spec;
}

function initOf({ config }: Context, host: HostConfig): string | undefined {
  // among other containers' or the host's processes it would have nothing to reap, and say so
  if (!(host.Init ?? config.init) || host.PidMode !== "") return undefined;
  if (config.initPath === undefined)
    throw new EngineError(
      "internal",
      "--init needs an init program: install the package tini (apt install tini)",
    );
  return config.initPath;
}

/** In a network of its own any user of a container may open low ports and send pings, as in Docker. */
function networkSysctls({ NetworkMode }: HostConfig, remap: IdMap | undefined): Record<string, string> {
  if (NetworkMode === "host" || joinedContainer(NetworkMode) !== undefined) return {};
  // a user namespace can name no other groups than its own
  const groups = remap === undefined ? 2 ** 31 : remap.gids.reduce((sum, { count }) => sum + count, 0);
  return {
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.ping_group_range": `0 ${Math.min(groups, 2 ** 31) - 1}`,
  };
}

/** A kernel setting of a namespace that is the host's would change the host. */
function refuseSysctls({ Sysctls, NetworkMode, IpcMode }: HostConfig): void {
  for (const name of Object.keys(Sysctls ?? {})) {
    if (NetworkMode === "host" && name.startsWith("net."))
      throw configFailure(`sysctl "${name}" not allowed in host network namespace`);
    if (IpcMode === "host" && /^(kernel\.(msg|sem|shm)|fs\.mqueue\.)/.test(name))
      throw configFailure(`sysctl "${name}" is not allowed in the hosts ipc namespace`);
  }
}

/** Docker's three files, but where the user mounts something else. */
function nameFileMounts(ctx: Context, { files, mounts, userns }: SpecParts, readOnly: boolean): MountInput[] {
  const taken = new Set(mounts.map(({ destination }) => destination));
  const shown = (path: string): string =>
    (userns === undefined ? undefined : ctx.snapshots.remappedPath(path)) ?? path;
  const options = ["rbind", "rprivate", readOnly ? "ro" : "rw"];
  return [
    { destination: "/etc/resolv.conf", type: "bind", source: shown(files.resolvConf), options },
    { destination: "/etc/hostname", type: "bind", source: shown(files.hostname), options },
    { destination: "/etc/hosts", type: "bind", source: shown(files.hosts), options },
  ].filter(({ destination }) => !taken.has(destination));
}

/** In what a further process may differ from the first. */
interface Rights {
  user: string;
  privileged: boolean;
  terminal: boolean;
  /** variables beyond the container's own */
  env?: readonly string[];
}

const ownRights = ({ spec: { config, hostConfig } }: Container): Rights => ({
  user: config.User,
  privileged: hostConfig.Privileged,
  terminal: config.Tty,
});

/** The first process: who it is, what it may do, where it runs. */
function processOf(ctx: Context, container: Container, root: string, rights: Rights): ProcessInput {
  const { config, hostConfig, path, args } = container.spec;
  const { terminal, privileged } = rights;
  const user = userIn(root, rights.user, hostConfig.GroupAdd ?? []);
  const security = securityOf(ctx.config, hostConfig, ctx.runtime.facts.apparmor);
  const [height, width] = hostConfig.ConsoleSize;
  return {
    terminal,
    ...(terminal && height > 0 && width > 0 ? { consoleSize: { height, width } } : {}),
    args: [...(container.commandOnce ?? [path, ...args])],
    env: environmentOf({
      env: config.Env ?? [],
      more: rights.env ?? [],
      hostname: hostnameOf(ctx, container),
      terminal,
      home: user.home,
      linked: linkedEnvironment(ctx, container),
    }),
    cwd: config.WorkingDir || "/",
    user: { uid: user.uid, gid: user.gid, additionalGids: [...new Set([user.gid, ...user.additionalGids])] },
    capabilities: resolveCapabilities({
      add: hostConfig.CapAdd ?? [],
      drop: hostConfig.CapDrop ?? [],
      privileged,
    }),
    noNewPrivileges: security.noNewPrivileges,
    rlimits: rlimitsOf(ctx, container),
    ...oomScore(hostConfig.OomScoreAdj, ctx.runtime.facts.oomScore),
    ...(security.apparmor === undefined ? {} : { apparmorProfile: security.apparmor }),
  };
}

/** Who shares another's network shares its name. */
function hostnameOf(ctx: Context, { spec }: Container): string {
  const joined = joinedContainer(spec.hostConfig.NetworkMode);
  const donor = joined === undefined ? undefined : ctx.store.lookUp(joined);
  return donor?.spec.config.Hostname ?? spec.config.Hostname;
}

function rlimitsOf(ctx: Context, container: Container): ProcessInput["rlimits"] {
  const own = container.spec.hostConfig.Ulimits ?? [];
  const names = new Set(own.map(({ Name }) => Name));
  const all = [...own, ...ctx.config.defaultUlimits.filter(({ Name }) => !names.has(Name))];
  return all.map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard }));
}

/** A further process in a running container: the first one's surroundings, and what the exec says of its own. */
export const execProcess = (...args: Parameters<typeof execInput>): Process =>
  buildProcess(execInput(...args));

export function execInput(
  ctx: Context,
  container: Container,
  exec: Pick<Exec, "request">,
  size: readonly [number, number] | undefined,
): ProcessInput {
  const { request } = exec;
  const own = ownRights(container);
  const { consoleSize: _none, ...base } = processOf(ctx, container, ctx.snapshots.rootPath(container.id), {
    user: request.user || own.user,
    privileged: request.Privileged || own.privileged,
    terminal: request.Tty,
    env: request.env,
  });
  return {
    ...base,
    ...(request.Tty && size ? { consoleSize: { height: size[0], width: size[1] } } : {}),
    args: [...request.command],
    cwd: request.workingDir || base.cwd,
  };
}
