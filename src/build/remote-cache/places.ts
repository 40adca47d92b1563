import type { Repository } from "../../distribution/contract.ts";
import { layerForm } from "../../lib/compression/layer-compression.ts";
import { EngineError } from "../../lib/errors.ts";
import { parseReference, type Reference, withDefaultTag } from "../../lib/image/reference.ts";
import type { BuildRequest, CachePlace } from "../contract.ts";
import type { BuildContextDeps } from "../deps.ts";
import { LayoutArchive } from "./layout-archive.ts";
import { LayoutFolder } from "./layout-folder.ts";

/** A place as it is read from or written to. */
export interface OpenPlace {
  /** undefined = it is no registry */
  reference: Reference | undefined;
  /** what its manifest is asked by and kept as */
  tag: string;
  /** to read from, the best first; to write to, the first */
  repositories: readonly Repository[];
}

/** What a place is called in what the user is told. */
export function placeName({ type, attributes }: CachePlace): string {
  if (type === "registry") return attributes["ref"] ?? "";
  return `${type}:${attributes["src"] ?? attributes["dest"] ?? ""}`;
}

/** Refuses what cannot be written to, before anything runs. */
export function checkTargets({ cacheTo }: BuildRequest): void {
  for (const { type, attributes, store, sink } of cacheTo) {
    if (type === "registry") {
      if (!attributes["ref"]) throw invalid("registry cache exporter requires ref");
      parseReference(attributes["ref"]);
    } else if (type === "local") {
      if (store === undefined && sink === undefined) throw invalid("local cache exporter requires dest");
    } else if (type !== "inline") {
      refuseService(type, "written to");
      throw invalid(`unknown cache exporter: ${JSON.stringify(type)}`);
    }
    const { mode = "min" } = attributes;
    if (mode !== "min" && mode !== "max") throw invalid(`unsupported cache export mode ${mode}`);
    layerForm(attributes);
  }
}

/** Caches of services that have an API of their own: any registry, or a folder that is kept there, does the same. */
function refuseService(type: string, use: "written to" | "read from"): void {
  if (!["gha", "s3", "azblob"].includes(type)) return;
  throw new EngineError(
    "notImplemented",
    `caches of type ${type} cannot be ${use} in berth: use type=registry,ref=NAME, or type=local with a folder that you keep there`,
  );
}

const invalid = (message: string): EngineError => new EngineError("invalid", message);

function storeOf({ store, folder, sink }: CachePlace, scratch: string): Repository | undefined {
  if (store !== undefined) return store;
  const layout = folder === undefined ? undefined : new LayoutFolder(folder);
  return sink === undefined ? layout : new LayoutArchive(sink, layout, scratch);
}

/** The build that opens a place: its credentials, and where it reads and writes. */
export interface PlaceOpener {
  request: Pick<BuildRequest, "registryAuth" | "signal">;
  deps: Pick<BuildContextDeps, "distribution" | "paths">;
}

export async function openPlace(
  { request, deps }: PlaceOpener,
  place: CachePlace,
  use: "read" | "write",
): Promise<OpenPlace> {
  const { type, attributes } = place;
  if (type === "local") {
    const store = storeOf(place, deps.paths.scratch);
    if (store === undefined) throw invalid("local cache importer requires src");
    return {
      reference: undefined,
      tag: attributes["digest"] ?? attributes["tag"] ?? "latest",
      repositories: [store],
    };
  }
  refuseService(type, use === "read" ? "read from" : "written to");
  if (type !== "registry") throw invalid(`unknown cache importer: ${type}`);
  const reference = withDefaultTag(parseReference(attributes["ref"] ?? ""));
  const credentials = await request.registryAuth(reference.domain);
  const access = { signal: request.signal, ...(credentials === undefined ? {} : { credentials }) };
  const { distribution } = deps;
  return {
    reference,
    tag: reference.digest ?? reference.tag ?? "latest",
    repositories:
      use === "read" ? distribution.sources(reference, access) : [distribution.target(reference, access)],
  };
}
