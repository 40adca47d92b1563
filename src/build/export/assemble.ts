import { dockerOf, ociOf } from "../../images/push/manifest.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { parsePlatform } from "../../lib/image/platform.ts";
import { type Descriptor, mediaTypes, type Platform } from "../../types/oci.ts";
import type { Session } from "../solver/session.ts";
import { annotationsFor } from "./annotations.ts";
import { type Statement, statementsFor } from "./attest/statements.ts";
import type { PlatformResult } from "./result.ts";

/** Bytes with the descriptor that names them. */
interface Document {
  descriptor: Descriptor;
  bytes: Uint8Array<ArrayBuffer>;
}

/** An image as registries and layouts have it, but for its layers. */
export interface Assembled {
  /** configurations, statements */
  blobs: Document[];
  /** what `top` names; children before parents */
  manifests: Document[];
  /** the manifest of an image of one platform, else the index */
  top: Document;
  /** of the first platform */
  configDigest: string;
}

interface AssembleRequest {
  session: Session;
  results: readonly PlatformResult[];
  /** how the layers are kept there, by diff id */
  layers: ReadonlyMap<string, Descriptor>;
  /** for the subjects of attestations */
  names: readonly string[];
  /** OCI's media types or Docker's; undefined = OCI's */
  oci?: boolean | undefined;
}

/** Docker's types are for plain images: annotations, attestations and zstd are OCI's alone, as BuildKit has it. */
function typesOf({ session: { request }, layers, oci = true }: AssembleRequest): Types {
  const { provenance, sbom } = request.attestations;
  const onlyOci =
    request.annotations.size > 0 ||
    provenance !== undefined ||
    sbom !== undefined ||
    [...layers.values()].some(({ mediaType }) => mediaType.endsWith("zstd"));
  return oci || onlyOci ? ociTypes : dockerTypes;
}

interface Types {
  index: string;
  manifest: string;
  config: string;
  layer: Readonly<Record<string, string>>;
}

const ociTypes: Types = {
  index: mediaTypes.ociIndex,
  manifest: mediaTypes.ociManifest,
  config: mediaTypes.ociConfig,
  layer: ociOf,
};
const dockerTypes: Types = {
  index: mediaTypes.dockerIndex,
  manifest: mediaTypes.dockerManifest,
  config: mediaTypes.dockerConfig,
  layer: dockerOf,
};

const unknown: Platform = { architecture: "unknown", os: "unknown" };

/** Whether an image is more than a manifest: it has several platforms, or attestations beside it. */
export const isIndex = ({ request }: Session, results: readonly PlatformResult[]): boolean =>
  results.length > 1 ||
  request.attestations.provenance !== undefined ||
  request.attestations.sbom !== undefined;

/**
 * Makes the manifests of a build's results. Attestations are manifests of their own in the index, of a platform that nothing
 * runs on, and name what they are about (https://github.com/moby/buildkit, docs/attestations/attestation-storage.md).
 */
export function assemble(request: AssembleRequest): Assembled {
  const { session, results, names } = request;
  const types = typesOf(request);
  const { annotations } = session.request;
  const made: Assembled = { blobs: [], manifests: [], top: document("", {}), configDigest: "" };
  const children: Descriptor[] = [];
  const attested: Descriptor[] = [];
  for (const result of results) {
    const manifest = imageOf(request, result, types, made);
    const named = annotationsFor(annotations, "manifest-descriptor", result.platform);
    const platform = parsePlatform(result.platform);
    children.push({ ...manifest.descriptor, ...(named ? { annotations: named } : {}), platform });
    const statements = statementsFor(names, result, manifest.descriptor);
    if (statements.length > 0) attested.push(attestationOf(statements, manifest.descriptor, made));
  }
  if (!isIndex(session, results)) return { ...made, top: made.manifests.pop() ?? made.top };
  const own = annotationsFor(annotations, "index", "");
  const top = document(types.index, {
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [...children, ...attested],
    ...(own ? { annotations: own } : {}),
  });
  return { ...made, top };
}

function imageOf(
  { session, layers }: AssembleRequest,
  { config, platform }: PlatformResult,
  types: Types,
  made: Assembled,
): Document {
  const text = document(types.config, config, 0);
  const annotations = annotationsFor(session.request.annotations, "manifest", platform);
  const manifest = document(types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: text.descriptor,
    layers: config.rootfs.diff_ids.flatMap((diffId) => {
      const layer = layers.get(diffId);
      if (layer === undefined) return [];
      const { mediaType, digest, size } = layer;
      return [{ mediaType: types.layer[mediaType] ?? mediaType, digest, size }];
    }),
    ...(annotations ? { annotations } : {}),
  });
  made.blobs.push(text);
  made.manifests.push(manifest);
  made.configDigest ||= text.descriptor.digest;
  return manifest;
}

function attestationOf(statements: readonly Statement[], about: Descriptor, made: Assembled): Descriptor {
  const bodies = statements.map((statement) => ({
    statement,
    body: document("application/vnd.in-toto+json", statement, 0),
  }));
  const diffIds = bodies.map(({ body }) => body.descriptor.digest);
  const config = document(
    mediaTypes.ociConfig,
    { ...unknown, config: {}, rootfs: { type: "layers", diff_ids: diffIds } },
    0,
  );
  const layers = bodies.map(({ statement, body }) => ({
    ...body.descriptor,
    annotations: { "in-toto.io/predicate-type": statement.predicateType },
  }));
  const mediaType = mediaTypes.ociManifest;
  const manifest = document(mediaType, { schemaVersion: 2, mediaType, config: config.descriptor, layers });
  made.blobs.push(config, ...bodies.map(({ body }) => body));
  made.manifests.push(manifest);
  return {
    ...manifest.descriptor,
    annotations: {
      "vnd.docker.reference.digest": about.digest,
      "vnd.docker.reference.type": "attestation-manifest",
    },
    platform: unknown,
  };
}

/** Manifests are indented as BuildKit's are, configurations are not. */
function document(mediaType: string, value: object, indent = 2): Document {
  const bytes = new TextEncoder().encode(JSON.stringify(value, undefined, indent));
  return { bytes, descriptor: { mediaType, digest: sha256(bytes), size: bytes.length } };
}
