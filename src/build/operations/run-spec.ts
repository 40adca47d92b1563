import { mappedRoot } from "../../lib/users/id-map.ts";
import { buildSpec } from "../../runtime/spec/build.ts";
import { resolveCapabilities } from "../../runtime/spec/capabilities.ts";
import type { MountInput } from "../../runtime/spec/input.ts";
import { oomScore } from "../../runtime/spec/process.ts";
import { makeFolderBeneath } from "../../system/files/beneath.ts";
import type { Spec } from "../../types/runtime-spec.ts";
import type { RunOperation } from "../graph/operation.ts";
import type { Session } from "../solver/session.ts";
import { stepHostname } from "./name-files.ts";
import { userIn } from "./user.ts";

interface SpecParts {
  id: string;
  root: string;
  mounts: readonly MountInput[];
  env: readonly string[];
  netnsPath: string | undefined;
  userns: string | undefined;
}

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The OCI spec of a step's container: a container's defaults, no limits but those the build asked for. */
export function runSpec(
  { deps, request }: Session,
  operation: RunOperation,
  { id, root, mounts, env, netnsPath, userns }: SpecParts,
): Spec {
  const { resources } = request;
  const user = userIn(root, operation.user);
  const cwd = operation.cwd || "/";
  const { remap } = deps.config;
  const owner = remap === undefined ? { uid: 0, gid: 0 } : mappedRoot(remap);
  if (cwd !== "/") makeFolderBeneath(root, cwd, 0o755, owner);
  const { cgroupVersion } = deps.runtime.facts;
  const parent = resources.cgroupParent ?? deps.config.cgroupParent;
  return buildSpec({
    process: {
      terminal: false,
      args: operation.args,
      env: environmentOf([...operation.env, ...operation.hiddenEnv, ...env], user.home),
      cwd,
      user: {
        uid: user.uid,
        gid: user.gid,
        additionalGids: [...new Set([user.gid, ...user.additionalGids])],
      },
      capabilities: resolveCapabilities({ add: [], drop: [], privileged: operation.insecure }),
      noNewPrivileges: false,
      rlimits: rlimitsOf(resources.ulimits, deps.config.defaultUlimits),
      ...oomScore(0, deps.runtime.facts.oomScore),
    },
    hostname: stepHostname(request),
    rootfs: { path: root, readonly: false },
    namespaces: {
      network: netnsPath === undefined ? "host" : { path: netnsPath },
      pid: "private",
      ipc: "private",
      uts: "private",
      cgroup: cgroupVersion === "2" ? "private" : "host",
      ...(userns === undefined ? {} : { user: { path: userns } }),
    },
    cgroupsPath: deps.runtime.cgroupPathFor(id, ...(parent === "" ? [] : [parent])),
    mounts,
    ...(resources.shmSize === undefined ? {} : { shmSize: resources.shmSize }),
    privileged: operation.insecure,
    resources: {
      ...(resources.memory === undefined ? {} : { memory: resources.memory }),
      ...(resources.memorySwap === undefined ? {} : { memorySwap: resources.memorySwap }),
      ...(resources.cpuShares === undefined ? {} : { cpuShares: resources.cpuShares }),
      ...(resources.cpuPeriod === undefined ? {} : { cpuPeriod: resources.cpuPeriod }),
      ...(resources.cpuQuota === undefined ? {} : { cpuQuota: resources.cpuQuota }),
      ...(resources.cpusetCpus === undefined ? {} : { cpusetCpus: resources.cpusetCpus }),
      ...(resources.cpusetMems === undefined ? {} : { cpusetMems: resources.cpusetMems }),
    },
    devices: [],
    deviceRules: [],
    sysctls: {},
    seccomp: "default",
  });
}

type Ulimits = readonly { Name: string; Soft: number; Hard: number }[];

function rlimitsOf(own: Ulimits, engine: Ulimits): { name: string; soft: number; hard: number }[] {
  const names = new Set(own.map(({ Name }) => Name));
  const all = [...own, ...engine.filter(({ Name }) => !names.has(Name))];
  return all.map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard }));
}

/** The last of several values of a name counts; PATH and HOME are always there. */
function environmentOf(env: readonly string[], home: string): string[] {
  const named = new Map(env.map((assignment) => [assignment.split("=", 1)[0] ?? "", assignment]));
  return [
    ...(named.has("PATH") ? [] : [defaultPath]),
    ...named.values(),
    ...(named.has("HOME") ? [] : [`HOME=${home}`]),
  ];
}
