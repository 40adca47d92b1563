import type { Image } from "../../images/contract.ts";
import { EngineError } from "../../lib/errors.ts";
import { formatPlatform, isRunnableAs, parsePlatform } from "../../lib/image/platform.ts";

/** `--platform`: the image must be for it. Kind `notFound`, on which clients pull the one that is. */
export function checkPlatform(reference: string, image: Image | undefined, asked: string | undefined): void {
  if (asked === undefined || asked === "") return;
  const wanted = parsePlatform(asked);
  if (!image) return;
  const { os, architecture, variant } = image.config;
  // an image without an architecture says nothing that could be wrong
  if (!architecture) return;
  const own = { os: os || "linux", architecture, ...(variant ? { variant } : {}) };
  if (isRunnableAs(own, wanted)) return;
  throw new EngineError(
    "notFound",
    `image with reference ${reference} was found but its platform (${formatPlatform(own)}) does not match the specified platform (${formatPlatform(wanted)})`,
  );
}
