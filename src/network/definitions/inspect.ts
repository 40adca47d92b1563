import { formatNs } from "../../lib/time/time.ts";
import type { NetworkInspect } from "../../types/api.ts";
import type { NetworkDefinition, SubnetSpec } from "./definitions.ts";

/** Docker's shape; `Containers` is filled in by who knows them. */
export const inspectNetwork = ({ id, name, driver, createdNs, spec }: NetworkDefinition): NetworkInspect => ({
  Name: name,
  Id: id,
  Created: formatNs(createdNs),
  Scope: spec.scope,
  Driver: driver,
  EnableIPv4: spec.ipv4,
  EnableIPv6: spec.ipv6,
  IPAM: {
    Driver: spec.ipam.driver,
    Options: spec.ipam.options,
    Config: spec.subnets.length === 0 ? null : spec.subnets.map(subnetConfig),
  },
  Internal: spec.internal,
  Attachable: spec.attachable,
  Ingress: spec.ingress,
  ConfigFrom: { Network: spec.configFrom },
  ConfigOnly: spec.configOnly,
  Containers: {},
  Options: { ...spec.options },
  Labels: { ...spec.labels },
});

const subnetConfig = ({ subnet, range, gateway, gatewayTold, auxiliary }: SubnetSpec) => ({
  ...(subnet === "" ? {} : { Subnet: subnet }),
  ...(range === undefined ? {} : { IPRange: range }),
  ...(gatewayTold && gateway !== "" ? { Gateway: gateway } : {}),
  ...(auxiliary && Object.keys(auxiliary).length > 0 ? { AuxiliaryAddresses: { ...auxiliary } } : {}),
});
