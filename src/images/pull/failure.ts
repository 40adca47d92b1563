import { RegistryError } from "../../distribution/errors.ts";
import { EngineError } from "../../lib/errors.ts";
import { familiar, familiarName, type Reference } from "../../lib/image/reference.ts";

/** A registry's refusal of a pull as Docker tells it, all of them as "not found": who may not see it, cannot know. */
export function pullFailure(reference: Reference, error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error;
  const told = (sentence: string): EngineError => new EngineError("notFound", sentence, { cause: error });
  const name = familiarName(reference);
  switch (error.code) {
    case "MANIFEST_UNKNOWN":
      return told(`manifest for ${familiar(reference)} not found: ${error.message}`);
    case "NAME_UNKNOWN":
      return told(`repository ${name} not found: ${error.message}`);
    case "DENIED":
    case "UNAUTHORIZED":
      return told(
        `pull access denied for ${name}, repository does not exist or may require 'docker login': ${error.message}`,
      );
    default:
      return error;
  }
}
