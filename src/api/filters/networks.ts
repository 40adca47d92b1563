import { EngineError } from "../../lib/errors.ts";
import type { NetworkInspect } from "../../types/api.ts";
import type { Filters } from "../decode/filters.ts";
import { booleanFilter, hasLabels, isOneOf, isPartOf } from "./match.ts";

const predefined: ReadonlySet<string> = new Set(["bridge", "host", "none"]);

export const isPredefined = (name: string): boolean => predefined.has(name);

/** `used` says whether a container is in the network. */
export function filterNetworks(
  networks: NetworkInspect[],
  filters: Filters,
  used: (network: NetworkInspect) => boolean,
): NetworkInspect[] {
  const dangling = booleanFilter(filters, "dangling");
  const types = filters.get("type") ?? [];
  for (const type of types)
    if (type !== "custom" && type !== "builtin")
      throw new EngineError("invalid", `invalid filter: 'type'='${type}'`);
  return networks.filter(
    (network) =>
      isPartOf(filters.get("name"), network.Name) &&
      isPartOf(filters.get("id"), network.Id) &&
      isOneOf(filters.get("driver"), network.Driver) &&
      isOneOf(filters.get("scope"), network.Scope) &&
      isOneOf(types, isPredefined(network.Name) ? "builtin" : "custom") &&
      hasLabels(filters.get("label"), network.Labels) &&
      (dangling === undefined || dangling === (!isPredefined(network.Name) && !used(network))),
  );
}
