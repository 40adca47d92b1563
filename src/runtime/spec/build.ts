import type { Seccomp, Spec } from "../../types/runtime-spec.ts";
import type { NamespaceInput, SpecInput } from "./input.ts";
import { specMounts } from "./mounts.ts";
import { defaultMaskedPaths, defaultReadonlyPaths } from "./paths.ts";
import { buildProcess } from "./process.ts";
import { specResources } from "./resources.ts";
import { defaultSeccomp } from "./seccomp.ts";

const ociVersion = "1.0.2";

/** The OCI spec of a container. Pure: the same input gives the same spec. */
export function buildSpec(input: SpecInput): Spec {
  const { rootfs, hostname, domainname, annotations, namespaces, privileged } = input;
  const seccomp = seccompOf(input);
  return {
    ociVersion,
    process: buildProcess(input.process, input.init !== undefined),
    root: { path: rootfs.path, readonly: rootfs.readonly },
    // without a UTS namespace of its own, setting a name would rename the other
    ...(namespaces.uts === "private" && hostname ? { hostname } : {}),
    ...(namespaces.uts === "private" && domainname ? { domainname } : {}),
    mounts: specMounts(input),
    ...(annotations && Object.keys(annotations).length > 0 ? { annotations: { ...annotations } } : {}),
    linux: {
      namespaces: specNamespaces(input),
      ...(input.devices.length > 0 ? { devices: input.devices.map(({ device }) => device) } : {}),
      cgroupsPath: input.cgroupsPath,
      resources: specResources(input),
      ...(seccomp ? { seccomp } : {}),
      ...(Object.keys(input.sysctls).length > 0 ? { sysctl: { ...input.sysctls } } : {}),
      ...propagationOf(input),
      maskedPaths: [...(input.maskedPaths ?? (privileged ? [] : defaultMaskedPaths))],
      readonlyPaths: [...(input.readonlyPaths ?? (privileged ? [] : defaultReadonlyPaths))],
    },
  };
}

function seccompOf({ seccomp, privileged, process }: SpecInput): Seccomp | undefined {
  if (privileged || seccomp === "unconfined") return undefined;
  return seccomp === "default" ? defaultSeccomp(process.capabilities) : seccomp;
}

function specNamespaces({ namespaces }: SpecInput): Spec["linux"]["namespaces"] {
  const wanted: [string, NamespaceInput][] = [
    ["network", namespaces.network],
    ["pid", namespaces.pid],
    ["ipc", namespaces.ipc],
    ["uts", namespaces.uts],
    ["cgroup", namespaces.cgroup],
  ];
  const listed = wanted.flatMap(([type, namespace]) => {
    if (namespace === "host") return [];
    return [namespace === "private" ? { type } : { type, path: namespace.path }];
  });
  const user = namespaces.user === undefined ? [] : [{ type: "user", path: namespaces.user.path }];
  return [{ type: "mount" }, ...user, ...listed];
}

/** A mount that is to propagate needs a root that lets it. */
function propagationOf({ mounts }: SpecInput): { rootfsPropagation?: string } {
  const has = (word: string): boolean =>
    mounts.some(({ options }) => options.includes(word) || options.includes(`r${word}`));
  if (has("shared")) return { rootfsPropagation: "shared" };
  return has("slave") ? { rootfsPropagation: "rslave" } : {};
}
