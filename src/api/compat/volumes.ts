import type { Filters } from "../../lib/wire/filters.ts";

/** Before API 1.42 a prune took named volumes too. */
export const withAnyVolume = (filters: Filters, minor: number): Filters =>
  minor >= 42 || filters.has("all") ? filters : new Map([...filters, ["all", ["true"]]]);
