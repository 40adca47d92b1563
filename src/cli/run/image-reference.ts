import { parseReference, type Reference, withDefaultTag } from "../../lib/reference.ts";

/** The image a user named, or `undefined` where it is an id; throws `invalid reference format` and its relatives. */
export function imageReference(image: string): Reference | undefined {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(image)) return undefined;
  return withDefaultTag(parseReference(image));
}
