import { bool, custom, type Flag, type FlagValues, int, list, string, strings } from "../flags/flag.ts";
import { bytes, bytesOrUnlimited, ulimit } from "../run/values.ts";

const size = (names: string, usage: string, parse = bytes): Flag<number> =>
  custom(names, "bytes", usage, 0, (_current, text) => parse(text));

/** The options of `build`, those of buildx and of docker's own builder, and Berth's. */
export const buildFlags = {
  addHost: strings("add-host", 'More names for RUN ("host:ip")'),
  allow: strings("allow", 'Rights that steps may ask for ("network.host", "security.insecure")'),
  annotation: list("annotation", "Annotation of the image"),
  attest: list("attest", 'Attestations ("type=sbom,generator=image")'),
  buildArg: list("build-arg", "Value of an ARG"),
  buildContext: list("build-context", "More contexts (name=path)"),
  builder: string("builder", "Name of a builder; there is one"),
  cacheFrom: list("cache-from", 'Where more cache is read from ("user/app:cache", "type=local,src=path")'),
  cacheTo: list("cache-to", 'Where the cache is written to ("type=local,dest=path")'),
  call: string("call", 'What to do: "build", "check", "outline", "targets"', "build"),
  cgroupParent: string("cgroup-parent", "Parent cgroup of the steps"),
  check: bool("check", "Check the Dockerfile, as --call=check"),
  compress: bool("compress", "No effect: nothing is sent", false, { hidden: true }),
  cpuPeriod: int("cpu-period", "CPU quota period of the steps, microseconds"),
  cpuQuota: int("cpu-quota", "CPU quota of the steps, microseconds"),
  cpuShares: int("cpu-shares,c", "Weight of the steps' CPU time"),
  cpusetCpus: string("cpuset-cpus", "CPUs that the steps may use (0-3, 0,1)"),
  cpusetMems: string("cpuset-mems", "Memory nodes that the steps may use (0-3, 0,1)"),
  debug: bool("debug,D", "No effect: berth's own -D stands before the command", false, { hidden: true }),
  explain: bool("explain", "Say why each step ran, or why the cache served it"),
  file: string("file,f", 'Dockerfile (default: "PATH/Dockerfile")'),
  forceRm: bool("force-rm", "No effect: steps leave no containers", false, { hidden: true }),
  iidfile: string("iidfile", "Write the image ID to a file"),
  isolation: string("isolation", "Isolation technology", "", { hidden: true }),
  label: list("label", "Label of the image"),
  listContext: bool("list-context", "List what of the context a build may read, and build nothing"),
  load: bool("load", "Put the image into the engine, as --output=type=docker"),
  memory: size("memory,m", "Memory limit of the steps"),
  memorySwap: size("memory-swap", "Limit of memory and swap of the steps (-1: none)", bytesOrUnlimited),
  metadataFile: string("metadata-file", "Write what is known of the result to a file"),
  network: string("network", "Network of the RUN steps", "default"),
  noCache: bool("no-cache", "Run every step"),
  noCacheFilter: strings("no-cache-filter", "Run every step of these stages"),
  onError: string(
    "on-error",
    'What to do when a RUN fails: "fail", or "shell", which keeps its files and opens a shell in them',
    "fail",
  ),
  output: list("output,o", 'Where the result goes ("type=local,dest=path")'),
  platform: strings("platform", "Platforms to build for"),
  policy: list("policy", "Policies for sources", undefined, { hidden: true }),
  profile: bool("profile", "Show time, memory and bytes of each step at the end"),
  progress: string(
    "progress",
    'How to show the build ("auto", "none", "plain", "quiet", "rawjson", "tty")',
    process.env["BUILDKIT_PROGRESS"] || "auto",
  ),
  provenance: string("provenance", 'As "--attest=type=provenance"'),
  pull: bool("pull", "Look for newer base images"),
  push: bool("push", "Push the image, as --output=type=registry"),
  quiet: bool("quiet,q", "Print nothing but the image ID"),
  rm: bool("rm", "No effect: steps leave no containers", true, { hidden: true }),
  sbom: string("sbom", 'As "--attest=type=sbom"'),
  secret: list("secret", 'Secret for RUN --mount=type=secret ("id=name[,src=path]", "id=name,env=NAME")'),
  securityOpt: list("security-opt", "Security options", undefined, { hidden: true }),
  shmSize: size("shm-size", "Size of /dev/shm in the steps"),
  squash: bool("squash", "One layer for all that the build adds"),
  ssh: list("ssh", 'Agent or keys for RUN --mount=type=ssh ("default", "id=socket", "id=key")'),
  tag: list("tag,t", 'Name of the image ("name:tag")'),
  target: string("target", "Stage to build"),
  ulimit: list("ulimit", "Limits of the steps' processes (name=soft:hard)", checkedUlimit),
  why: list("why", "With --list-context: say which pattern decides about a path"),
};

export type BuildFlags = FlagValues<typeof buildFlags>;

function checkedUlimit(text: string): string {
  ulimit(text);
  return text;
}
