import type { EndpointSettings } from "../../types/api.ts";
import { isPredefined, type NetworkDefinition } from "../definitions/definitions.ts";
import type { NamedEndpoint } from "../names/directory.ts";
import type { EndpointRecord } from "./store.ts";

interface Named {
  containerId: string;
  containerName: string;
  hostname: string;
}

/** What a container answers to on a network; null on the predefined ones, where names are not resolved. */
export function dnsNamesOf(
  definition: NetworkDefinition,
  { containerId, containerName, hostname }: Named,
  asked: Partial<EndpointSettings>,
): string[] | null {
  if (isPredefined(definition.name)) return null;
  const names = [containerName, ...(asked.Aliases ?? []), containerId.slice(0, 12), hostname];
  return [...new Set(names.filter((name) => name !== ""))];
}

/** The same after the container got another name. */
export const renamed = (names: readonly string[] | null, before: string, after: string): string[] | null =>
  names && [...new Set(names.map((name) => (name === before ? after : name)))];

export function namedEndpoint(record: EndpointRecord, definition: NetworkDefinition): NamedEndpoint {
  const { settings, containerName, networkName } = record.spec;
  return {
    endpointId: record.id,
    containerId: record.containerId,
    containerName,
    networkId: record.networkId,
    networkName,
    names: settings.DNSNames ?? [],
    ipv4: record.ipv4 ?? "",
    ipv6: record.ipv6 ?? "",
    links: linksOf(settings.Links ?? []),
    internal: definition.spec.internal,
  };
}

/** "container:alias" or "container" → alias → container. */
function linksOf(links: readonly string[]): Map<string, string> {
  const byAlias = new Map<string, string>();
  for (const link of links) {
    const at = link.indexOf(":");
    const target = at < 0 ? link : link.slice(0, at);
    byAlias.set(at < 0 ? link : link.slice(at + 1), target);
  }
  return byAlias;
}
