import type { ConfigFile } from "../../config-types.ts";
import type { BuildFlags } from "../flags.ts";

const hostsMax = 16;
/** How many of those whose logins helpers keep are asked about. */
const keptMax = 32;

const isHost = (text: string): boolean =>
  /^[\w-]+(?:\.[\w-]+)*(?::\d+)?$/.test(text) && (/[.:]/.test(text) || text === "localhost");

const words = (text: string): string[] => text.replaceAll("docker-image://", "").split(/[\s,="']+/);

type Naming = Pick<BuildFlags, "buildArg" | "tag" | "cacheFrom" | "cacheTo" | "output" | "buildContext">;

/**
 * The registries that a build may ask: those that the Dockerfile's FROM, ARG and `from=` name, and those of the options.
 * Credential helpers are asked about these alone, as asking may cost seconds or open a window; the hub is always among
 * them, as names without a registry are its. Where the Dockerfile is not at hand (undefined), all whose logins the
 * helpers keep are among them.
 */
export function registryHosts(
  dockerfile: string | undefined,
  flags: Naming,
  config: Pick<ConfigFile, "auths" | "credHelpers">,
): string[] {
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
  if (dockerfile === undefined) return [...found.union(new Set(keptHosts(config).slice(0, keptMax)))];
  for (const line of dockerfile.matchAll(/^[ \t]*(?:FROM|ARG)[ \t]+(.*)$/gim)) add(line[1] ?? "");
  for (const from of dockerfile.matchAll(/\bfrom=(\S+)/g)) add(from[1] ?? "");
  return [...found];
}

/** Those that have a helper of their own, and those whose entry is empty, as a helper's login leaves it. */
function keptHosts({ auths = {}, credHelpers = {} }: Pick<ConfigFile, "auths" | "credHelpers">): string[] {
  const empty = Object.entries(auths).filter(
    ([, { auth, identitytoken, registrytoken }]) => !auth && !identitytoken && !registrytoken,
  );
  return [...Object.keys(credHelpers), ...empty.map(([server]) => server)]
    .map((server) => server.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "")
    .map((host) => (host === "index.docker.io" ? "docker.io" : host))
    .filter((host) => host !== "");
}
