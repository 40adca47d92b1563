import type { Reference } from "../../lib/image/reference.ts";
import type { FoundLayer } from "./intake.ts";

/** An image an archive holds, in the form all of its layouts come down to. */
export interface FoundImage {
  /** the configuration's exact text */
  text: string;
  layers: FoundLayer[];
  references: Reference[];
  /** id of the image it was made from, as `docker save` tells it */
  parent?: string;
}
