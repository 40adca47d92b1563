import { type Filters, parseFilters, validateFilters } from "../../lib/wire/filters.ts";

/** The filter keys each list and prune takes; another is refused by name. */
const keys = {
  containers:
    "ancestor before exited expose health id is-task isolation label name network publish since status volume",
  search: "is-automated is-official stars",
  images: "before dangling label label! reference since until",
  volumes: "dangling driver label name",
  networks: "dangling driver id label name scope type",
  plugins: "capability enabled",
  containersPrune: "label label! until",
  imagesPrune: "dangling label label! until",
  volumesPrune: "all label label!",
  networksPrune: "label label! until",
  // labels are taken and mean nothing: `system prune --filter label=…` sends them along
  buildPrune: "description id inuse label label! parent private shared type unused-for until",
} as const;

/** The `filters` parameter of a list, its keys checked. */
export function listFilters(source: string, list: keyof typeof keys): Filters {
  const filters = parseFilters(source);
  validateFilters(filters, keys[list].split(" "));
  return filters;
}
