/** Annotations of a manifest, or of an index, or of the descriptors that name them. */
type AnnotationPlace = "manifest" | "manifest-descriptor" | "index" | "index-descriptor";

/**
 * The annotations for one place: keys of a request are plain (the manifests'), or begin with the place and perhaps a
 * platform, as buildx writes them: `index:key`, `manifest[linux/arm64]:key`.
 */
export function annotationsFor(
  all: ReadonlyMap<string, string>,
  place: AnnotationPlace,
  platform: string,
): Record<string, string> | undefined {
  const found: Record<string, string> = {};
  for (const [name, value] of all) {
    const match = /^(manifest|index|manifest-descriptor|index-descriptor)(?:\[([^\]]*)\])?:(.*)$/s.exec(name);
    const [, where = "manifest", only = "", key = name] = match ?? [];
    if (where === place && (only === "" || only === platform)) found[key] = value;
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
