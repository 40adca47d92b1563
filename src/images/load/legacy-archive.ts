import { EngineError } from "../../lib/errors.ts";
import { parseReference, withTag } from "../../lib/image/reference.ts";
import type { HistoryEntry, ImageConfig } from "../../types/oci.ts";
import { parseJson } from "../config.ts";
import type { FoundImage } from "./found-image.ts";
import type { Intake } from "./intake.ts";
import { documentOf, layerOf } from "./lookup.ts";

/**
 * The oldest archives, of Docker before 1.10: `repositories` names the top layer of each image, and every layer is a
 * folder `<id>/` with `json` (its configuration and parent) and `layer.tar`.
 */
const invalid = (message: string): EngineError => new EngineError("invalid", message);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const depthMax = 125;

export function* legacyImages(intake: Intake): Generator<FoundImage> {
  const repositories = parseJson(documentOf(intake, "repositories"), "repositories");
  if (!isRecord(repositories)) throw invalid("repositories is malformed");
  for (const [name, tags] of Object.entries(repositories)) {
    if (!isRecord(tags)) throw invalid("repositories is malformed");
    for (const [tag, id] of Object.entries(tags)) {
      if (typeof id !== "string") throw invalid("repositories is malformed");
      yield { ...imageOf(intake, id), references: [withTag(parseReference(name), tag)] };
    }
  }
}

/** Puts the chain of layer configurations together as one configuration of today's form. */
function imageOf(intake: Intake, top: string): Omit<FoundImage, "references"> {
  const chain: { id: string; config: Record<string, unknown> }[] = [];
  for (let id: unknown = top; typeof id === "string" && id !== ""; id = chain[0]?.config["parent"]) {
    if (chain.length >= depthMax) throw invalid("max depth exceeded");
    if (!/^[0-9a-zA-Z]{1,64}$/.test(id))
      throw invalid(`invalid image ID ${JSON.stringify(id.slice(0, 100))}`);
    const config = parseJson(documentOf(intake, `${id}/json`), `${id}/json`);
    if (!isRecord(config)) throw invalid(`${id}/json is malformed`);
    chain.unshift({ id, config });
  }
  const layers = chain.map(({ id }) => layerOf(intake, `${id}/layer.tar`));
  const { id: _id, parent: _parent, Size: _size, layer_id: _layer, ...rest } = chain.at(-1)?.config ?? {};
  const config = {
    ...rest,
    history: chain.map((link) => historyOf(link.config)),
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  } as unknown as ImageConfig;
  return { text: JSON.stringify(config), layers };
}

function historyOf(config: Record<string, unknown>): HistoryEntry {
  const { created, author, comment, container_config: run } = config;
  const command = isRecord(run) && Array.isArray(run["Cmd"]) ? run["Cmd"].join(" ") : "";
  return {
    ...(typeof created === "string" ? { created } : {}),
    ...(typeof author === "string" && author ? { author } : {}),
    ...(command ? { created_by: command } : {}),
    ...(typeof comment === "string" && comment ? { comment } : {}),
  };
}
