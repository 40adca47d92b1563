import { EngineError } from "../../../lib/errors.ts";
import { toText } from "../../../system/files/at.ts";
import { cleanParts } from "../../copy/match.ts";
import type { TreeSource } from "../../graph/operation.ts";

/** A mount's source is not in the image that it is to come from. */
export class MissingSource extends EngineError {}

/** An image, or nothing, as against a context or the result of steps: BuildKit does not look into it for a key. */
export const isImage = (from: TreeSource): boolean =>
  from.kind === "vertex" && (from.vertex === undefined || from.vertex.operation.kind === "image");

/** What BuildKit's copy says of a source that an image does not have. */
export const missingInImage = (pattern: string): EngineError =>
  new EngineError("notFound", `lstat /${toText(cleanParts(pattern).join("/"))}: no such file or directory`);

/** No path holds a NUL: what stands behind it would be lost on the way. */
export function refuseNul(path: string): void {
  if (path.includes("\0")) throw new EngineError("invalid", `lstat ${path}: invalid argument`);
}
