import { EngineError } from "../../lib/errors.ts";
import { requireSha256, sha256 } from "../../lib/image/digest.ts";
import { hostArchitecture, isSamePlatform } from "../../lib/image/platform.ts";
import { parseReference, type Reference, withDefaultTag } from "../../lib/image/reference.ts";
import { type Descriptor, mediaTypes, type Platform } from "../../types/oci.ts";
import { parseJson } from "../config.ts";
import type { FoundImage } from "./found-image.ts";
import type { FoundLayer, Intake } from "./intake.ts";
import { documentOf, layerOf } from "./lookup.ts";

/** An OCI image layout: `index.json` and `blobs/sha256` (https://github.com/opencontainers/image-spec, image-layout.md). */
const depthMax = 8;
const descriptorsMax = 10_000;

const invalid = (message: string): EngineError => new EngineError("invalid", message);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The images that `index.json` names: of one with several platforms, the one asked for, or this machine's. */
export function* ociLayoutImages(intake: Intake, asked?: Platform): Generator<FoundImage> {
  const index = parseJson(documentOf(intake, "index.json"), "index.json");
  const names = new Map<string, { descriptor: Descriptor; references: Reference[] }>();
  for (const descriptor of descriptorsOf(index, "manifests", "index.json")) {
    const known = names.get(descriptor.digest) ?? { descriptor, references: [] };
    known.references.push(...nameOf(descriptor));
    names.set(descriptor.digest, known);
  }
  const walk: Walk = { intake, asked, read: 0 };
  for (const { descriptor, references } of names.values()) {
    const manifest = choose(walk, descriptor, 0);
    if (manifest) yield imageOf(intake, manifest, references);
  }
}

interface Walk {
  intake: Intake;
  asked: Platform | undefined;
  /** descriptors looked at: an index may name itself in many ways */
  read: number;
}

/** Descends from an index to the one manifest of the platform; undefined where there is none. */
function choose(walk: Walk, descriptor: Descriptor, depth: number): Record<string, unknown> | undefined {
  if (depth > depthMax) throw invalid(`indexes are nested over ${depthMax} deep`);
  if (++walk.read > descriptorsMax) throw invalid(`the layout names over ${descriptorsMax} manifests`);
  const value = parseJson(blobOf(walk.intake, descriptor), `manifest ${descriptor.digest}`);
  if (!isRecord(value)) throw invalid(`manifest ${descriptor.digest} is no object`);
  if (!("manifests" in value)) return value;
  for (const child of preferred(descriptorsOf(value, "manifests", descriptor.digest), walk.asked)) {
    const found = choose(walk, child, depth + 1);
    if (found) return found;
  }
  return undefined;
}

/** Those of the platform first, then those that name none; others (attestations too) never. */
function preferred(children: Descriptor[], asked: Platform | undefined): Descriptor[] {
  const wanted = asked ?? { os: "linux", architecture: hostArchitecture };
  const exact = children.filter(({ platform }) => platform && isSamePlatform(platform, wanted));
  const close = children.filter(
    ({ platform }) =>
      asked === undefined &&
      platform?.os === wanted.os &&
      platform.architecture === wanted.architecture &&
      !exact.some((one) => one.platform === platform),
  );
  return [...exact, ...close, ...children.filter(({ platform }) => platform === undefined)];
}

const notLayers = /^application\/vnd\.in-toto/;

function imageOf(intake: Intake, manifest: Record<string, unknown>, references: Reference[]): FoundImage {
  const config = descriptorOf(manifest["config"], "config");
  const known: string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig, "application/octet-stream", ""];
  if (!known.includes(config.mediaType)) throw invalid(`${config.mediaType} is no image configuration`);
  const layers = descriptorsOf(manifest, "layers", "manifest");
  if (layers.some(({ mediaType }) => notLayers.test(mediaType)))
    throw invalid("the manifest is an attestation, no image");
  return {
    text: new TextDecoder().decode(blobOf(intake, config)),
    layers: layers.map((descriptor) => layerBlob(intake, descriptor)),
    references,
  };
}

const pathOf = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

function blobOf(intake: Intake, { digest, size }: Descriptor): Uint8Array {
  const bytes = documentOf(intake, pathOf(digest));
  if (bytes.length !== size) throw invalid(`blob ${digest} has ${bytes.length} bytes, not ${size}`);
  const actual = sha256(bytes);
  if (actual !== digest) throw invalid(`blob ${digest} has another digest, ${actual}`);
  return bytes;
}

function layerBlob(intake: Intake, { digest }: Descriptor): FoundLayer {
  const layer = layerOf(intake, pathOf(digest));
  if (layer.digest !== digest) throw invalid(`blob ${digest} has another digest, ${layer.digest}`);
  return layer;
}

function descriptorsOf(value: unknown, field: string, where: string): Descriptor[] {
  const list = isRecord(value) ? (value[field] ?? []) : undefined;
  if (!Array.isArray(list) || list.length > descriptorsMax) throw invalid(`${where}: ${field} is malformed`);
  return list.map((item) => descriptorOf(item, `${where}: ${field}`));
}

function descriptorOf(value: unknown, where: string): Descriptor {
  if (!isRecord(value)) throw invalid(`${where} is malformed`);
  const { mediaType = "", size, annotations, platform } = value;
  const digest = requireSha256(value["digest"], where);
  if (typeof mediaType !== "string" || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${where} is malformed`);
  return {
    mediaType,
    digest,
    size,
    ...(isRecord(annotations) ? { annotations: textsOf(annotations) } : {}),
    ...(isRecord(platform) ? { platform: platformOf(platform) } : {}),
  };
}

const textsOf = (record: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );

function platformOf(record: Record<string, unknown>): Platform {
  const { os = "", architecture = "", variant = "" } = textsOf(record);
  return { os, architecture, ...(variant ? { variant } : {}) };
}

/** containerd's annotation holds the whole name; the specification's may hold a name, or just a tag, which names nothing. */
function nameOf({ annotations = {} }: Descriptor): Reference[] {
  const name =
    annotations["io.containerd.image.name"] ?? annotations["org.opencontainers.image.ref.name"] ?? "";
  const whole = "io.containerd.image.name" in annotations || /[:/]/.test(name);
  return whole ? [withDefaultTag(parseReference(name))] : [];
}
