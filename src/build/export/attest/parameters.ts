import type { BuildRequest } from "../../contract.ts";

/**
 * What a build was asked for. Values of arguments and labels, and what secrets and agents are called, are told with
 * `mode=max` alone; secrets themselves never.
 */
export function parametersOf(request: BuildRequest, mode: "min" | "max"): object {
  const plain = {
    ...(request.target ? { target: request.target } : {}),
    ...(request.networkMode === "default" ? {} : { "force-network-mode": request.networkMode }),
    ...(request.noCache === false
      ? {}
      : { "no-cache": request.noCache === true ? "" : request.noCache.join() }),
    ...(request.extraHosts.length === 0 ? {} : { "add-hosts": hostsOf(request) }),
    ...(request.resources.shmSize ? { "shm-size": String(request.resources.shmSize) } : {}),
  };
  const args = mode === "min" ? plain : { ...plain, ...valuesOf(request) };
  return {
    frontend: "dockerfile.v0",
    ...(Object.keys(args).length === 0 ? {} : { args: sorted(args) }),
    ...(mode === "max" ? identities(request) : {}),
    locals: [...(request.context === undefined ? [] : ["context"]), "dockerfile"].map((name) => ({ name })),
  };
}

const hostsOf = ({ extraHosts }: BuildRequest): string =>
  extraHosts.map((host) => host.replace(":", "=")).join(",");

const sorted = (values: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1)));

const prefixed = (prefix: string, values: ReadonlyMap<string, string>): [string, string][] =>
  [...values].map(([name, value]) => [`${prefix}:${name}`, value]);

const valuesOf = ({ buildArgs, labels }: BuildRequest): Record<string, string> =>
  Object.fromEntries([...prefixed("build-arg", buildArgs), ...prefixed("label", labels)]);

/** Read off the Dockerfile: the client's other secrets have nothing to do with the result. */
function identities({ dockerfile }: BuildRequest): object {
  const named = (type: string): { id: string; optional: true }[] => {
    const mounts = dockerfile.text.matchAll(new RegExp(`--mount=(\\S*\\btype=${type}\\b\\S*)`, "g"));
    const ids = [...mounts].map(([, mount = ""]) => /(?:^|,)(?:id)=([^,\s]+)/.exec(mount)?.[1] ?? "default");
    return [...new Set(ids)].map((id) => ({ id, optional: true }));
  };
  const secrets = named("secret");
  const ssh = named("ssh");
  return { ...(secrets.length ? { secrets } : {}), ...(ssh.length ? { ssh } : {}) };
}
