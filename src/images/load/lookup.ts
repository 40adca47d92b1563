import { EngineError } from "../../lib/errors.ts";
import type { FoundLayer, Intake } from "./intake.ts";
import { cleanPath } from "./member.ts";

const linksMax = 32;

/** The path a name stands for once links are followed, within the archive. */
function follow(intake: Intake, name: string): string {
  let path = cleanPath(name);
  for (let hops = 0; path !== undefined && hops < linksMax; hops++) {
    const target = intake.links.get(path);
    if (target === undefined) return path;
    path = target;
  }
  throw new EngineError("invalid", `the archive names ${JSON.stringify(name)}, which leads nowhere in it`);
}

const missing = (name: string): EngineError =>
  new EngineError("invalid", `open ${name}: no such file or directory`);

/** A JSON file of the archive. `invalid` where it is missing. */
export function documentOf(intake: Intake, name: string): Uint8Array {
  const found = intake.documents.get(follow(intake, name));
  if (!found) throw missing(name);
  return found;
}

/**
 * An unpacked layer of the archive. One that is here already may be missing or empty there, as builders that know what
 * the engine has write it: `expected` is the diff id that it should have. Throws what was wrong with it, or `invalid`
 * where it is missing.
 */
export function layerOf(intake: Intake, name: string, expected?: string): FoundLayer {
  const path = follow(intake, name);
  const found = intake.layers.get(path);
  if (found) return found;
  const broken = intake.broken.get(path);
  if (broken) throw broken;
  const document = intake.documents.get(path);
  if (expected !== undefined && !document?.length && intake.isHere(expected))
    return { diffId: expected, digest: expected };
  if (document) throw new EngineError("invalid", `${name} is no layer: archive/tar: invalid tar header`);
  const named = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
  const digest = `sha256:${named}`;
  if (named !== undefined && intake.isHere(digest)) return { diffId: digest, digest };
  throw missing(name);
}
