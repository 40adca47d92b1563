import { emptyRun } from "../../images/empty-run.ts";
import type { ImageInspect, ImageSummary } from "../../types/api.ts";

/** An image in a list, as the client's API version expects it. */
export function summaryFor(image: ImageSummary, minor: number): ImageSummary {
  if (minor >= 51) return image;
  const summary: ImageSummary = { ...image, Containers: -1 };
  if (minor < 44) summary.VirtualSize = image.Size;
  if (minor < 43) {
    if (image.RepoTags.length === 0) summary.RepoTags = ["<none>:<none>"];
    if (image.RepoDigests.length === 0) summary.RepoDigests = ["<none>@<none>"];
  }
  return summary;
}

/** An image's details, as the client's API version expects them. */
export function inspectFor(image: ImageInspect, minor: number): Record<string, unknown> {
  const legacy = minor < 45 ? { Container: "", ContainerConfig: emptyRun } : {};
  return { ...image, ...legacy, ...(minor < 44 ? { VirtualSize: image.Size } : {}) };
}
