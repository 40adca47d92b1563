import { sha256 } from "./digest.ts";

/** What of a layout is meant: by its digest, else by its tag. */
interface LayoutName {
  path: string;
  tag: string;
  digest: string | undefined;
}

/** `oci-layout://PATH[:TAG][@DIGEST]` behind its `oci-layout://`, as buildx reads it. */
export function parseLayoutName(text: string): LayoutName {
  const [named = "", digest] = text.split("@", 2);
  const [path = "", tag = "latest"] = named.split(":", 2);
  return { path, tag, digest };
}

/** A reference that no registry answers to, and no other layout has. */
export function layoutReference(context: string, { path, tag, digest }: LayoutName): string {
  const own = sha256(JSON.stringify([context, path])).slice("sha256:".length, "sha256:".length + 16);
  return `berth.internal/oci-layout/${own}${digest === undefined ? `:${tag}` : `@${digest}`}`;
}
