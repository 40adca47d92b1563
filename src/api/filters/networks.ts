import { EngineError } from "../../lib/errors.ts";
import { type Filters, matchExact, matchLabels, matchPattern, matchPrefix } from "../../lib/wire/filters.ts";
import type { NetworkInspect } from "../../types/api.ts";

const predefined: ReadonlySet<string> = new Set(["bridge", "host", "none"]);

const isPredefined = (name: string): boolean => predefined.has(name);

function danglingFilter(filters: Filters): boolean | undefined {
  const values = filters.get("dangling") ?? [];
  if (values.length > 1)
    throw new EngineError("invalid", 'got more than one value for filter key "dangling"');
  const [value] = values;
  if (value === undefined || value === "1" || value === "true") return value === undefined ? undefined : true;
  if (value === "0" || value === "false") return false;
  throw new EngineError(
    "invalid",
    'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
  );
}

/** `used` says whether a container is in the network. */
export function filterNetworks(
  networks: NetworkInspect[],
  filters: Filters,
  used: (network: NetworkInspect) => boolean,
): NetworkInspect[] {
  const dangling = danglingFilter(filters);
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
