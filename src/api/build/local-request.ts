import type {
  BuildContext,
  BuildOutput,
  BuildRequest,
  Builds,
  CachePlace,
  NamedImage,
  OutputSink,
} from "../../build/contract.ts";
import { askedAttestations } from "../../build/export/attest/asked.ts";
import { EngineError } from "../../lib/errors.ts";
import { layoutReference, parseLayoutName } from "../../lib/image/oci-layout-name.ts";
import type { LocalBuildRequest } from "../../types/local-build.ts";
import { checkedPath, localFolderContext } from "./local-folder.ts";
import type { LocalSources } from "./local-sources.ts";

/** The request of `POST /berth/build` as the builder takes it; folders are checked to be the client's own. */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

type Given = Partial<LocalBuildRequest>;

interface RequestParts {
  builds: Pick<Builds, "fetchContext">;
  sources: Pick<LocalSources, "dockerfile" | "context">;
  signal: AbortSignal;
}

export async function localBuildRequest(
  given: Given,
  sinkOf: (index: number) => OutputSink,
  { builds, sources, signal }: RequestParts,
): Promise<BuildRequest> {
  return {
    dockerfile: sources.dockerfile,
    context: sources.context,
    namedContexts: await contextsOf(given.namedContexts ?? {}, builds),
    ...(given.target ? { target: given.target } : {}),
    buildArgs: mapOf(given.buildArgs),
    labels: mapOf(given.labels),
    annotations: mapOf(given.annotations),
    platforms: (given.platforms ?? []).filter((platform) => platform !== ""),
    tags: given.tags ?? [],
    noCache: given.noCacheStages?.length ? given.noCacheStages : (given.noCache ?? false),
    pull: given.pull ?? false,
    networkMode: given.network || "default",
    extraHosts: given.extraHosts ?? [],
    secrets: { get: async (id) => bytesOf(mapOf(given.secrets).get(id)) },
    ssh: { open: async (id) => socketOf(mapOf(given.ssh).get(id)) },
    resources: { ...given.resources, ulimits: given.resources?.ulimits ?? [] },
    outputs: (given.outputs ?? []).map((output, index) => outputOf(output, sinkOf(index))),
    ...(await cachesOf(given, sinkOf)),
    attestations: askedAttestations(mapOf(given.attest)),
    squash: given.squash ?? false,
    keepsFailed: given.keepsFailed ?? false,
    allow: new Set(given.allow),
    registryAuth: async (host) => mapOf(given.auth).get(host),
    signal,
  };
}

/** A `local` cache is read in place, and written to as a tar that the client unpacks. */
async function cachesOf(
  { cacheFrom = [], cacheTo = [], cacheFolders = {}, outputs = [] }: Given,
  sinkOf: (index: number) => OutputSink,
): Promise<Pick<BuildRequest, "cacheFrom" | "cacheTo">> {
  const folders = new Map<string, string>();
  for (const [path, folder] of Object.entries(cacheFolders)) folders.set(path, await checkedPath(folder));
  const placeOf = ({ type = "registry", ...attributes }: Record<string, string>, path = ""): CachePlace => {
    const folder = type === "local" ? folders.get(path) : undefined;
    return { type, attributes, ...(folder === undefined ? {} : { folder }) };
  };
  return {
    cacheFrom: cacheFrom.map((option) => placeOf(option, option["src"])),
    cacheTo: cacheTo.map((option, index) => {
      const place = placeOf(option, option["dest"]);
      return place.type === "local" && option["dest"]
        ? { ...place, sink: sinkOf(outputs.length + index) }
        : place;
    }),
  };
}

const mapOf = <T>(values: Record<string, T> | undefined): ReadonlyMap<string, T> =>
  new Map(Object.entries(values ?? {}));

async function contextsOf(
  given: LocalBuildRequest["namedContexts"],
  builds: Pick<Builds, "fetchContext">,
): Promise<BuildRequest["namedContexts"]> {
  const contexts = new Map<string, { context: BuildContext } | NamedImage>();
  for (const [name, value] of Object.entries(given)) {
    if ("image" in value && value.image) contexts.set(name, { image: value.image });
    else if ("url" in value && value.url) contexts.set(name, { context: remoteOf(value.url, builds) });
    else if ("layout" in value && value.layout)
      contexts.set(name, {
        image: layoutReference(name, parseLayoutName(value.layout)),
        layout: { folder: await checkedPath(value) },
      });
    else if ("path" in value) contexts.set(name, { context: await localFolderContext(value) });
  }
  return contexts;
}

/** Fetched when a step first reads of it. */
const remoteOf = (url: string, builds: Pick<Builds, "fetchContext">): BuildContext => ({
  open: async ({ signal }) => {
    const { root, close } = await builds.fetchContext(url, signal);
    return { root, ignore: [], close };
  },
});

const bytesOf = (base64: string | undefined): Uint8Array | undefined =>
  base64 === undefined ? undefined : Buffer.from(base64, "base64");

const socketOf = (path: string | undefined) =>
  path === undefined ? undefined : { path, foreign: true, close: () => Promise.resolve() };

/** A folder goes to the client as a tar, which writes it with its own rights. */
function outputOf(
  { type, attributes = {} }: { type: string; attributes: Record<string, string> },
  sink: OutputSink,
): BuildOutput {
  if (type === "image" || type === "cacheonly") return { type, attributes };
  if (type === "docker" || type === "oci" || type === "tar") return { type, attributes, sink };
  if (type === "local") return { type: "tar", attributes, sink };
  throw invalid(`exporter ${JSON.stringify(type)} could not be found`);
}
