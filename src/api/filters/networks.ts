import { EngineError } from "../../lib/errors.ts";
import {
  booleanFilter,
  type Filters,
  matchExact,
  matchLabels,
  matchPattern,
  matchPrefix,
} from "../../lib/filters.ts";
import type { NetworkInspect } from "../../types/api.ts";

const predefined: ReadonlySet<string> = new Set(["bridge", "host", "none"]);

export const isPredefined = (name: string): boolean => predefined.has(name);

/** `used` says whether a container is in the network. */
export function filterNetworks(
  networks: NetworkInspect[],
  filters: Filters,
  used: (network: NetworkInspect) => boolean,
): NetworkInspect[] {
  const dangling = filters.has("dangling") ? booleanFilter(filters, "dangling", false) : undefined;
  for (const type of filters.get("type") ?? [])
    if (type !== "custom" && type !== "builtin")
      throw new EngineError("invalid", `invalid filter: 'type'='${type}'`);
  return networks.filter(
    (network) =>
      matchPattern(filters, "name", network.Name) &&
      matchPrefix(filters, "id", network.Id) &&
      matchExact(filters, "driver", network.Driver) &&
      matchExact(filters, "scope", network.Scope) &&
      matchExact(filters, "type", isPredefined(network.Name) ? "builtin" : "custom") &&
      matchLabels(filters, "label", network.Labels) &&
      (dangling === undefined || dangling === (!isPredefined(network.Name) && !used(network))),
  );
}
