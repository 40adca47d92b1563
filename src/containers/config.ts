import type { IdMap } from "../lib/users/id-map.ts";
import type { LogPolicy } from "../runtime/contract.ts";
import type { LogDriver } from "../runtime/log-drivers/options.ts";
import type { Ulimit } from "../types/api.ts";

/** What the engine's configuration decides for containers; built once by the engine, never changed below it. */
export interface ContainersConfig {
  /** `<data root>`: each container has a folder `containers/<id>` there (log, hosts, hostname, resolv.conf) */
  dataRoot: string;
  /** `<exec root>`: bundles lie at `containers/<id>` there; gone after a reboot */
  execRoot: string;
  /** the engine's id: part of cgroup and other names */
  engineId: string;
  /** `/dev/shm` of a container that asks for none, bytes */
  defaultShmSize: number;
  /** `--default-ulimit`; a container's own of the same name wins */
  defaultUlimits: readonly Ulimit[];
  /** folders of CDI specifications, of rising precedence */
  cdiSpecDirs: readonly string[];
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOptions: readonly string[];
  /** what `host-gateway` in `--add-host` stands for; none = the default bridge's own address */
  hostGatewayIps: readonly string[];
  /** `--init` of the engine: containers that say nothing get an init */
  init: boolean;
  /** host path of the init binary that `--init` puts at `/sbin/docker-init`; undefined = none was found */
  initPath?: string;
  /** `--no-new-privileges` of the engine */
  noNewPrivileges: boolean;
  /** file of a seccomp profile, "builtin" or "unconfined" */
  seccompProfile: string;
  /** parent cgroup of containers that name none; "" = the default, `/docker`-like: `/<engineId>` */
  cgroupParent: string;
  /** `private` or `host` for containers that say nothing; undefined = private on cgroup v2, else host (Docker's rule) */
  defaultCgroupnsMode?: "private" | "host";
  defaultIpcMode: "private" | "shareable";
  /** name told as `HostConfig.Runtime` where none is asked: "crun" or "runc" */
  defaultRuntime: string;
  /** runtimes that may be asked for by name: name → path of the OCI runtime */
  runtimes: Readonly<Record<string, string>>;
  /** log driver of containers that name none */
  logDriver: LogDriver;
  /** options of containers that have that driver, unless they say otherwise */
  logOptions: Readonly<Record<string, string>>;
  logPolicy: LogPolicy;
  /** seconds between the stop signal and SIGKILL */
  defaultStopTimeout: number;
  /** false: recovered containers whose process ended stay so until their policy says otherwise; true as Docker's */
  restartAtStart: boolean;
  /** `userns-remap`: containers' owners (`disk`) and who they are on the host (`seen`); absent = the same */
  remap?: IdMap;
}

/** Rotation is on unless the user turns it off: five files of 100 MB. */
export const defaultLogPolicy: LogPolicy = { maxSize: 100_000_000, maxFiles: 5 };

/** Defaults for everything that no user set; the engine adds its roots and what it found on the host. */
export const defaultContainersConfig: Omit<ContainersConfig, "dataRoot" | "execRoot" | "engineId"> = {
  defaultShmSize: 64 * 1024 * 1024,
  defaultUlimits: [],
  cdiSpecDirs: [],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  hostGatewayIps: [],
  init: false,
  noNewPrivileges: false,
  seccompProfile: "builtin",
  cgroupParent: "",
  defaultIpcMode: "private",
  defaultRuntime: "crun",
  runtimes: {},
  logDriver: "json-file",
  logOptions: {},
  logPolicy: defaultLogPolicy,
  defaultStopTimeout: 10,
  restartAtStart: true,
};
