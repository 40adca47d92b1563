import type { BuildFlags } from "./flags.ts";

const hostsMax = 16;

const isHost = (text: string): boolean =>
  /^[\w-]+(?:\.[\w-]+)*(?::\d+)?$/.test(text) && (/[.:]/.test(text) || text === "localhost");

const words = (text: string): string[] => text.replaceAll("docker-image://", "").split(/[\s,="']+/);

type Naming = Pick<BuildFlags, "buildArg" | "tag" | "cacheFrom" | "cacheTo" | "output" | "buildContext">;

/**
 * The registries that a build may ask: those that the Dockerfile's FROM, ARG and `from=` name, and those of the options.
 * Credential helpers are asked about these alone, as asking may cost seconds or open a window; the hub is always among
 * them, as names without a registry are its.
 */
export function registryHosts(dockerfile: string, flags: Naming): string[] {
  const found = new Set(["docker.io"]);
  const add = (text: string): void => {
    for (const word of words(text)) {
      const host = word.split("/", 1)[0] ?? "";
      if (isHost(host) && found.size < hostsMax)
        found.add(host === "index.docker.io" ? "docker.io" : host.toLowerCase());
    }
  };
  const { buildArg, tag, cacheFrom, cacheTo, output, buildContext } = flags;
  for (const text of [...tag, ...output, ...buildContext, ...cacheFrom, ...cacheTo, ...buildArg]) add(text);
  for (const line of dockerfile.matchAll(/^[ \t]*(?:FROM|ARG)[ \t]+(.*)$/gim)) add(line[1] ?? "");
  for (const from of dockerfile.matchAll(/\bfrom=(\S+)/g)) add(from[1] ?? "");
  return [...found];
}
