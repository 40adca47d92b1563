import {
  booleanFilter,
  type Filters,
  matchExact,
  matchLabels,
  matchPattern,
} from "../../lib/wire/filters.ts";
import type { Volume } from "../../types/api.ts";

/** `used` says whether a container names the volume. */
export function filterVolumes(
  volumes: Volume[],
  filters: Filters,
  used: (name: string) => boolean,
): Volume[] {
  const dangling = filters.has("dangling") ? booleanFilter(filters, "dangling", false) : undefined;
  return volumes.filter(
    (volume) =>
      matchPattern(filters, "name", volume.Name) &&
      matchExact(filters, "driver", volume.Driver) &&
      matchLabels(filters, "label", volume.Labels) &&
      (dangling === undefined || dangling === !used(volume.Name)),
  );
}
