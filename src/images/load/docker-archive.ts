import { EngineError } from "../../lib/errors.ts";
import { parseReference, type Reference } from "../../lib/image/reference.ts";
import { parseConfig, parseJson } from "../config.ts";
import type { FoundImage } from "./found-image.ts";
import type { Intake } from "./intake.ts";
import { documentOf, layerOf } from "./lookup.ts";

/** `manifest.json` of `docker save` (https://github.com/moby/docker-image-spec, v1.2, "combined image JSON"). */
interface ManifestItem {
  Config: string;
  RepoTags: string[];
  Layers: string[];
  Parent?: string;
}

const invalid = (message: string): EngineError => new EngineError("invalid", message);
const itemsMax = 10_000;

/** The images of the archive, each read when it is asked for, so that those before a wrong one are loaded. */
export function* dockerArchiveImages(intake: Intake): Generator<FoundImage> {
  const value = parseJson(documentOf(intake, "manifest.json"));
  if (value === null) throw invalid("invalid manifest, manifest cannot be null (but can be [])");
  if (!Array.isArray(value))
    throw invalid("json: cannot unmarshal object into Go value of type []tarexport.manifestItem");
  if (value.length > itemsMax) throw invalid(`invalid manifest, it names over ${itemsMax} images`);
  for (const item of value.map(checkItem)) {
    const text = new TextDecoder().decode(documentOf(intake, item.Config));
    const diffIds = parseConfig(text).rootfs.diff_ids;
    yield {
      text,
      layers: item.Layers.map((name, index) => layerOf(intake, name, diffIds[index])),
      references: item.RepoTags.map(tagOf),
      ...(item.Parent === undefined ? {} : { parent: item.Parent }),
    };
  }
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

function checkItem(value: unknown): ManifestItem {
  const { Config, RepoTags, Layers, Parent } = (value ?? {}) as Record<string, unknown>;
  if (typeof Config !== "string" || !isTexts(RepoTags ?? []) || !isTexts(Layers ?? []))
    throw invalid("invalid manifest, an image needs Config, RepoTags and Layers");
  return {
    Config,
    RepoTags: (RepoTags ?? []) as string[],
    Layers: (Layers ?? []) as string[],
    ...(typeof Parent === "string" && Parent !== "" ? { Parent } : {}),
  };
}

function tagOf(text: string): Reference {
  const reference = parseReference(text);
  if (reference.tag === undefined || reference.digest !== undefined)
    throw invalid(`invalid tag ${JSON.stringify(text)}`);
  return reference;
}
