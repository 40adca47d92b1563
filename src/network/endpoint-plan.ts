import { newId } from "../lib/ids.ts";
import type { EndpointSettings } from "../types/api.ts";
import { type NetworkDefinition, readBridge } from "./definitions.ts";
import type { EndpointRecord } from "./endpoint-store.ts";
import { formatIpv4 } from "./ipv4.ts";
import type { HeldNamespace } from "./namespace-pool.ts";
import { endpointSettings, formatMac, macOf, parseMac } from "./requests.ts";
import type { EndpointPlan } from "./worker-protocol.ts";

/** One network a container asked for. */
export interface Attachment {
  definition: NetworkDefinition;
  asked: Partial<EndpointSettings>;
}

/** What is recorded of an endpoint, and what the Worker has to make of it (nothing for host and none). */
export interface PlannedEndpoint {
  record: EndpointRecord;
  plan: EndpointPlan | undefined;
}

/** A network's place without addresses. */
export function planPlain(
  containerId: string,
  { definition, asked }: Attachment,
  { sandboxId, path }: HeldNamespace,
): PlannedEndpoint {
  const id = newId();
  const settings = endpointSettings(asked, { NetworkID: definition.id, EndpointID: id });
  const spec = { sandboxId, netnsPath: path, networkName: definition.name, link: "", settings, ports: [] };
  return { record: { id, containerId, networkId: definition.id, ipv4: null, spec }, plan: undefined };
}

/** A bridge network's: `index` counts the container's interfaces, and the first has the default route. */
export function planBridged(
  containerId: string,
  { definition, asked }: Attachment,
  { sandboxId, path }: HeldNamespace,
  { address, index }: { address: number; index: number },
): PlannedEndpoint {
  const id = newId();
  const network = readBridge(definition);
  const mac = parseMac(asked.MacAddress ?? "") ?? macOf(address);
  const link = `veth${id.slice(0, 11)}`; // IFNAMSIZ: 15 bytes
  const ipv4 = formatIpv4(address);
  const gateway = definition.spec.internal ? "" : formatIpv4(network.gateway);
  const settings = endpointSettings(asked, {
    NetworkID: definition.id,
    EndpointID: id,
    MacAddress: formatMac(mac),
    Gateway: gateway,
    IPAddress: ipv4,
    IPPrefixLen: network.subnet.prefix,
  });
  const spec = { sandboxId, netnsPath: path, networkName: definition.name, link, settings, ports: [] };
  return {
    record: { id, containerId, networkId: definition.id, ipv4, spec },
    plan: {
      netnsPath: path,
      bridge: network.bridge,
      link,
      name: `eth${index}`,
      mac,
      address,
      prefix: network.subnet.prefix,
      gateway: index === 0 && gateway !== "" ? network.gateway : 0,
      mtu: network.mtu,
      isolated: !network.icc,
    },
  };
}
