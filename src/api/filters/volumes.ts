import type { Volume } from "../../types/api.ts";
import type { Filters } from "../decode/filters.ts";
import { booleanFilter, hasLabels, isOneOf, isPartOf } from "./match.ts";

export function filterVolumes(
  volumes: Volume[],
  filters: Filters,
  used: (name: string) => boolean,
): Volume[] {
  const dangling = booleanFilter(filters, "dangling");
  return volumes.filter(
    (volume) =>
      isPartOf(filters.get("name"), volume.Name) &&
      isOneOf(filters.get("driver"), volume.Driver) &&
      hasLabels(filters.get("label"), volume.Labels ?? {}) &&
      (dangling === undefined || dangling === !used(volume.Name)),
  );
}
