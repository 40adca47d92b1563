import { messageOf } from "../../../../lib/errors.ts";
import { parseReference, type Reference, withDefaultTag } from "../../../../lib/image/reference.ts";
import { CliError } from "../../../errors.ts";

/** A name as the commands of `manifest` take it; `what` begins the sentence for one that is none. */
export function named(text: string, what = ""): Reference {
  try {
    return withDefaultTag(parseReference(text));
  } catch (error) {
    throw new CliError(what + messageOf(error), 1, { cause: error });
  }
}
