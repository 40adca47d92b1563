import type { Repository } from "../../distribution/contract.ts";
import { ociOf } from "../../images/push/manifest.ts";
import { layerForm } from "../../lib/compression/layer-compression.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { type Descriptor, mediaTypes } from "../../types/oci.ts";
import type { CachePlace } from "../contract.ts";
import type { PlatformResult } from "../export/result.ts";
import { sendBlob } from "../export/send-blob.ts";
import type { Session } from "../solver/session.ts";
import {
  cacheConfig,
  cacheConfigType,
  distinctBlobs,
  type KeyedLayer,
  type RemoteLayer,
} from "./cache-config.ts";
import { LostCache } from "./imports.ts";
import { type OpenPlace, openPlace } from "./places.ts";

const titles: Readonly<Record<string, string>> = {
  registry: "exporting cache to registry",
  local: "exporting cache to client directory",
};

/** Writes the build's cache to where `--cache-to` says; answers what the exporters say. */
export async function exportCaches(
  session: Session,
  results: readonly PlatformResult[],
): Promise<Record<string, string>> {
  const response: Record<string, string> = {};
  const places = session.request.cacheTo.filter(({ type }) => type !== "inline");
  for (const [index, place] of places.entries())
    Object.assign(response, await exportCache(session, place, index, stepsFor(session, place, results)));
  return response;
}

/** `mode=max`: each step of the build; else those whose layers are in a result. */
function stepsFor(
  { made }: Session,
  { attributes }: CachePlace,
  results: readonly PlatformResult[],
): KeyedLayer[] {
  const wanted = new Set(results.flatMap(({ keys }) => keys));
  return [...made]
    .filter(([key]) => attributes["mode"] === "max" || wanted.has(key))
    .map(([key, { layer, created }]) => ({ key, layer, created }));
}

async function exportCache(
  session: Session,
  place: CachePlace,
  index: number,
  steps: readonly KeyedLayer[],
): Promise<Record<string, string>> {
  const name = titles[place.type] ?? "";
  const vertex = { digest: sha256(`${session.ref} cache ${index}`), inputs: [], name, cached: false };
  const started = Date.now();
  session.vertex({ ...vertex, started });
  try {
    const writing = new Writing(session, place, vertex.digest);
    const manifest = await writing.write(steps);
    session.vertex({ ...vertex, started, completed: Date.now() });
    // by it clients write the index of their own folder
    return manifest === undefined || place.type !== "local"
      ? {}
      : { "cache.manifest": JSON.stringify(manifest) };
  } catch (error) {
    session.vertex({ ...vertex, started, completed: Date.now(), error: messageOf(error) });
    session.signal.throwIfAborted();
    if (place.attributes["ignore-error"] === "true") return {};
    throw error;
  }
}

/** One export: layers, then the configuration that names them, then the manifest, which makes them visible. */
class Writing {
  private readonly session: Session;
  private readonly place: CachePlace;
  private readonly vertex: string;

  constructor(session: Session, place: CachePlace, vertex: string) {
    this.session = session;
    this.place = place;
    this.vertex = vertex;
  }

  async write(steps: readonly KeyedLayer[]): Promise<Descriptor | undefined> {
    if (steps.length === 0) {
      await this.told("skipping cache export for empty result", () => Promise.resolve());
      return undefined;
    }
    const opened = await openPlace(this.session, this.place, "write");
    const [target] = opened.repositories;
    if (target === undefined) throw new EngineError("internal", "the cache has no target");
    const blobs = await this.told("preparing build cache for export", () =>
      this.layers(opened, target, steps),
    );
    const remote = steps.flatMap((step): RemoteLayer[] => {
      const blob = blobs.get(step.layer);
      return blob === undefined ? [] : [{ ...step, blob }];
    });
    const text = new TextEncoder().encode(cacheConfig({ steps: remote, digests: this.session.digests }));
    const config = { mediaType: cacheConfigType, digest: sha256(text), size: text.length };
    await this.told(`writing config ${config.digest}`, () => sendBlob(target, text, this.session.signal));
    const layers = distinctBlobs(remote).map(descriptorOf);
    return await this.manifest(target, opened.tag, config, layers);
  }

  private async manifest(
    target: Repository,
    tag: string,
    config: Descriptor,
    layers: readonly Descriptor[],
  ): Promise<Descriptor> {
    const { mediaType, kind, value } = manifestOf(this.place, config, layers);
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    const digest = sha256(bytes);
    await this.told(`writing cache ${kind} ${digest}`, () => target.putManifest(tag, mediaType, bytes));
    return { mediaType, digest, size: bytes.length };
  }

  /** The form that each layer has at the target. */
  private async layers(
    { reference }: OpenPlace,
    target: Repository,
    steps: readonly KeyedLayer[],
  ): Promise<Map<string, Descriptor>> {
    const { session } = this;
    const { compression, force } = layerForm(this.place.attributes);
    const asked = compression === undefined ? {} : { form: { compression, exact: true } };
    const blobs = new Map<string, Descriptor>();
    const send = async (diffId: string): Promise<void> => {
      const remote = force ? undefined : session.imports.remote(diffId)?.blob;
      if (remote !== undefined && (await target.blobSize(remote.digest)) === remote.size) {
        blobs.set(diffId, remote);
        return;
      }
      if (!(await this.brought(diffId))) return;
      const { signal } = session;
      blobs.set(diffId, await session.deps.images.sendLayer({ diffId, reference, target, signal, ...asked }));
    };
    const distinct = [...new Set(steps.map(({ layer }) => layer))];
    await Promise.all(distinct.map((diffId) => this.told(`writing layer ${diffId}`, () => send(diffId))));
    return blobs;
  }

  /**
   * False for a layer that an imported cache has lost: its steps are left out. The outputs have been written by now, so it is
   * too late to build again without that cache.
   */
  private async brought(diffId: string): Promise<boolean> {
    try {
      await this.session.imports.bring([diffId]);
      return true;
    } catch (error) {
      if (error instanceof LostCache) return false;
      throw error;
    }
  }

  /** As something that happens within the export. */
  private async told<T>(id: string, work: () => Promise<T>): Promise<T> {
    const status = { id, vertex: this.vertex, current: 0, total: 0, started: Date.now() };
    this.session.emit({ kind: "status", status });
    try {
      return await work();
    } finally {
      this.session.emit({ kind: "status", status: { ...status, completed: Date.now() } });
    }
  }
}

const descriptorOf = ({ blob, layer, created }: RemoteLayer): Descriptor => ({
  mediaType: ociOf[blob.mediaType] ?? blob.mediaType,
  digest: blob.digest,
  size: blob.size,
  annotations: { "buildkit/createdat": created, "containerd.io/uncompressed": layer },
});

/** One manifest as of an image, which any registry takes; or with `image-manifest=false` the older index of blobs. */
function manifestOf(
  { attributes }: CachePlace,
  config: Descriptor,
  layers: readonly Descriptor[],
): { mediaType: string; kind: string; value: object } {
  const { oci = true } = layerForm(attributes);
  const asImage = attributes["image-manifest"] ?? String(oci);
  if (asImage === "true") {
    if (!oci)
      throw new EngineError(
        "invalid",
        "invalid configuration for remote cache, OCI mediatypes are required for image-manifest cache format",
      );
    const mediaType = mediaTypes.ociManifest;
    return { mediaType, kind: "image manifest", value: { schemaVersion: 2, mediaType, config, layers } };
  }
  const mediaType = oci ? mediaTypes.ociIndex : mediaTypes.dockerIndex;
  return {
    mediaType,
    kind: "manifest",
    value: { schemaVersion: 2, mediaType, manifests: [...layers, config] },
  };
}
