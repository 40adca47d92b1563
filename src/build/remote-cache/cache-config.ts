import { ociOf } from "../../images/push/manifest.ts";
import { isLayer } from "../../images/remote/media-types.ts";
import { EngineError } from "../../lib/errors.ts";
import { isSha256 } from "../../lib/image/digest.ts";
import { parseNs } from "../../lib/time/time.ts";
import type { Descriptor } from "../../types/oci.ts";

/**
 * The description of a cache that is kept outside of this engine, in BuildKit's form (`cacheconfig.v0`): layers, and
 * records that name them by keys. A record here is one step: its key (`build/cache/key.ts`) and the one layer that it adds to
 * what it works on. Keys of other builders are digests like ours and never equal one, so their caches bring nothing.
 */
export const cacheConfigType = "application/vnd.buildkit.cacheconfig.v0";

/** A step's result, by its key. */
export interface KeyedLayer {
  key: string;
  /** diff id */
  layer: string;
  /** RFC 3339 */
  created: string;
}

export interface RemoteLayer extends KeyedLayer {
  blob: Descriptor;
}

export interface RemoteCache {
  steps: RemoteLayer[];
  /** of what COPY took out of layers, by what names it (`build/operations/layer-digests.ts`) */
  digests: ReadonlyMap<string, string>;
}

export const configBytesMax = 8 * 1024 * 1024;
/** a record's digest of files: an addition of ours, which others pass over */
const filesField = "berth.files";
const recordsMax = 20_000;

const invalid = (what: string): EngineError => new EngineError("invalid", `the cache is malformed: ${what}`);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The text of a configuration. */
export function cacheConfig({ steps, digests }: RemoteCache): string {
  const layers = distinctBlobs(steps);
  const places = new Map(layers.map(({ layer }, index) => [layer, index]));
  return JSON.stringify({
    layers: layers.map(({ blob, layer, created }) => ({
      blob: blob.digest,
      parent: -1,
      annotations: {
        mediaType: ociOf[blob.mediaType] ?? blob.mediaType,
        diffID: layer,
        size: blob.size,
        createdAt: created,
      },
    })),
    records: cacheRecords({ steps, digests }, (layer) => places.get(layer)),
  });
}

/** The first step of each layer. */
export function distinctBlobs(steps: readonly RemoteLayer[]): RemoteLayer[] {
  const byLayer = new Map<string, RemoteLayer>();
  for (const step of steps) if (!byLayer.has(step.layer)) byLayer.set(step.layer, step);
  return [...byLayer.values()];
}

/** Records alone, in the order of their keys; layers by where `placeOf` finds them. */
export function cacheRecords(
  { steps, digests }: { steps: readonly KeyedLayer[]; digests: ReadonlyMap<string, string> },
  placeOf: (layer: string) => number | undefined,
): object[] {
  const results = steps.flatMap(({ key, layer, created }) => {
    const place = placeOf(layer);
    return place === undefined ? [] : [{ layers: [{ layer: place, createdAt: created }], digest: key }];
  });
  const files = [...digests].map(([key, digest]) => ({ digest: key, [filesField]: digest }));
  return [...results, ...files].sort((one, other) => (one.digest < other.digest ? -1 : 1));
}

/** Reads a configuration that anybody may have written; `blobs` are those of the manifest, by digest. */
export function parseCacheConfig(bytes: Uint8Array, blobs: ReadonlyMap<string, Descriptor>): RemoteCache {
  const value = parseJson(bytes);
  if (!isRecord(value)) throw invalid("its configuration is no object");
  const layers = listOf(value["layers"], "layers").map((item) => layerOf(item, blobs));
  return parseRecords(value["records"], (place) => layers[place]);
}

/** The records of a configuration; of results those whose layer `layerAt` has. */
export function parseRecords(
  value: unknown,
  layerAt: (place: number) => { layer: string; blob: Descriptor } | undefined,
): RemoteCache {
  const steps: RemoteLayer[] = [];
  const digests = new Map<string, string>();
  for (const item of listOf(value, "records")) {
    if (!isRecord(item)) throw invalid("a record is no object");
    const { digest: key, layers, [filesField]: files } = item;
    if (typeof key !== "string" || !isSha256(key)) continue;
    if (typeof files === "string" && isSha256(files)) digests.set(key, files);
    const [result] = listOf(layers, "a record's layers");
    if (!isRecord(result)) continue;
    const { layer: place = 0, createdAt } = result;
    const found = typeof place === "number" ? layerAt(place) : undefined;
    if (found !== undefined) steps.push({ key, created: timeOf(createdAt), ...found });
  }
  return { steps, digests };
}

/** undefined for what the manifest has not, or not as a layer, and for a layer that does not say what it unpacks to. */
function layerOf(
  item: unknown,
  blobs: ReadonlyMap<string, Descriptor>,
): { layer: string; blob: Descriptor } | undefined {
  if (!isRecord(item)) throw invalid("a layer is no object");
  const { blob: digest, annotations } = item;
  const diffId = isRecord(annotations) ? annotations["diffID"] : undefined;
  const blob = typeof digest === "string" ? blobs.get(digest) : undefined;
  if (blob === undefined || !isLayer(blob) || typeof diffId !== "string" || !isSha256(diffId))
    return undefined;
  return { layer: diffId, blob };
}

const timeOf = (value: unknown): string =>
  typeof value === "string" && value.length < 64 && parseNs(value) !== undefined
    ? value
    : "1970-01-01T00:00:00Z";

function listOf(value: unknown, what: string): unknown[] {
  const list = value ?? [];
  if (!Array.isArray(list)) throw invalid(`${what} are no list`);
  if (list.length > recordsMax) throw invalid(`it has over ${recordsMax} ${what}`);
  return list;
}

export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    throw new EngineError("invalid", "the cache is malformed: it is no JSON", { cause: error });
  }
}
