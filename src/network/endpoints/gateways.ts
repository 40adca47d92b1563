import { ipBytes, parseIp } from "../addresses/ip.ts";
import type { ReroutePlan, RoutePlan } from "../worker/protocol.ts";
import type { EndpointRecord } from "./store.ts";

/** Whose network has the container's default route, of each family. */
export interface Gateways {
  v4: EndpointRecord | undefined;
  v6: EndpointRecord | undefined;
}

const gives = (record: EndpointRecord, family: 4 | 6): boolean => {
  const { settings, viaDevice } = record.spec;
  if (family === 4) return settings.Gateway !== "" || (viaDevice === true && record.ipv4 !== null);
  return settings.IPv6Gateway !== "" || (viaDevice === true && record.ipv6 !== null);
};

/** The highest `gw-priority`; among equals one that serves both families, then the first network's by name. */
function better(one: EndpointRecord, other: EndpointRecord): number {
  const priority = other.spec.settings.GwPriority - one.spec.settings.GwPriority;
  if (priority !== 0) return priority;
  const both = (record: EndpointRecord): number => Number(gives(record, 4) && gives(record, 6));
  if (both(one) !== both(other)) return both(other) - both(one);
  return one.spec.networkName < other.spec.networkName ? -1 : 1;
}

export function gatewaysOf(records: readonly EndpointRecord[]): Gateways {
  const sorted = [...records].sort(better);
  return {
    v4: sorted.find((record) => gives(record, 4)),
    v6: sorted.find((record) => gives(record, 6)),
  };
}

function route(record: EndpointRecord, family: 4 | 6): RoutePlan {
  const { settings } = record.spec;
  const gateway = parseIp(family === 4 ? settings.Gateway : settings.IPv6Gateway);
  return gateway ? { family, gateway: ipBytes(gateway) } : { family, device: true };
}

/** The default routes that go out by this endpoint. */
export const routesOf = (record: EndpointRecord, { v4, v6 }: Gateways): RoutePlan[] => [
  ...(v4 === record ? [route(record, 4)] : []),
  ...(v6 === record ? [route(record, 6)] : []),
];

/** All default routes of a sandbox. */
export const rerouting = (netnsPath: string, { v4, v6 }: Gateways): ReroutePlan => ({
  netnsPath,
  routes: [
    ...(v4 ? [{ ...route(v4, 4), name: v4.spec.interface }] : []),
    ...(v6 ? [{ ...route(v6, 6), name: v6.spec.interface }] : []),
  ],
});

export const sameGateways = (one: Gateways, other: Gateways): boolean =>
  one.v4?.id === other.v4?.id && one.v6?.id === other.v6?.id;
