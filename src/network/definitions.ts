import { EngineError } from "../lib/errors.ts";
import { newId } from "../lib/ids.ts";
import { formatNs, nowNs } from "../lib/time.ts";
import type { State } from "../state/database.ts";
import type { NetworkInspect } from "../types/api.ts";
import { formatIpv4, formatSubnet, parseCidr, parseIpv4, type Subnet } from "./ipv4.ts";

export type NetworkDriver = "bridge" | "host" | "null";

/** A network as it is recorded in `networks.spec`: what `inspect` tells, and what the rules are made from. */
export interface NetworkSpec {
  internal: boolean;
  attachable: boolean;
  options: Record<string, string>;
  labels: Record<string, string>;
  /** CIDR and address; absent without addresses (host, none) or while none is chosen */
  subnet?: string;
  gateway?: string;
}

export interface NetworkDefinition {
  id: string;
  name: string;
  driver: NetworkDriver;
  createdNs: bigint;
  spec: NetworkSpec;
}

/** A bridge network's spec, read. */
export interface BridgeNetwork {
  definition: NetworkDefinition;
  bridge: string;
  subnet: Subnet;
  gateway: number;
  mtu: number;
  icc: boolean;
  masquerade: boolean;
}

export const bridgeOption = {
  default: "com.docker.network.bridge.default_bridge",
  icc: "com.docker.network.bridge.enable_icc",
  masquerade: "com.docker.network.bridge.enable_ip_masquerade",
  bindAddress: "com.docker.network.bridge.host_binding_ipv4",
  name: "com.docker.network.bridge.name",
  mtu: "com.docker.network.driver.mtu",
} as const;

interface Row {
  id: string;
  name: string;
  driver: string;
  spec: string;
  created_at: string;
}

/** The `networks` rows. */
export class Definitions {
  private readonly state: State;
  /** every list and inspect asks for them */
  private cached: NetworkDefinition[] | undefined;

  constructor(state: State) {
    this.state = state;
  }

  all(): readonly NetworkDefinition[] {
    this.cached ??= this.read();
    return this.cached;
  }

  private read(): NetworkDefinition[] {
    return this.state.db
      .query<Row, []>(
        "SELECT id, name, driver, spec, CAST(created_at AS TEXT) AS created_at FROM networks ORDER BY rowid",
      )
      .all()
      .map((row) => ({
        id: row.id,
        name: row.name,
        driver: row.driver as NetworkDriver,
        createdNs: BigInt(row.created_at),
        spec: JSON.parse(row.spec) as NetworkSpec,
      }));
  }

  /** Writes a network anew; its id and time stay when it has a row of that name. */
  put(name: string, driver: NetworkDriver, spec: NetworkSpec): void {
    this.state.db
      .query(
        `INSERT INTO networks (id, name, driver, spec, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET spec = excluded.spec`,
      )
      .run(newId(), name, driver, JSON.stringify(spec), nowNs());
    this.cached = undefined;
  }

  /** By id, name, or a prefix that only one id has. Docker's sentences. */
  find(nameOrId: string): NetworkDefinition {
    const all = this.all();
    const exact = all.find(({ id, name }) => id === nameOrId || name === nameOrId);
    if (exact) return exact;
    const matches = nameOrId === "" ? [] : all.filter(({ id }) => id.startsWith(nameOrId));
    if (matches.length > 1)
      throw new EngineError(
        "invalid",
        `network ${nameOrId} is ambiguous (${matches.length} matches found based on ID prefix)`,
      );
    if (!matches[0]) throw new EngineError("notFound", `network ${nameOrId} not found`);
    return matches[0];
  }
}

/** What a bridge network's row says, in numbers. */
export function readBridge(definition: NetworkDefinition): BridgeNetwork {
  const { subnet = "", gateway = "", options } = definition.spec;
  return {
    definition,
    bridge: options[bridgeOption.name] ?? "",
    subnet: parseCidr(subnet).subnet,
    gateway: parseIpv4(gateway) ?? 0,
    mtu: Number(options[bridgeOption.mtu] ?? 1500),
    icc: options[bridgeOption.icc] !== "false",
    masquerade: options[bridgeOption.masquerade] !== "false",
  };
}

/** Docker's shape; the caller fills in `Containers`. */
export const inspectNetwork = ({ id, name, driver, createdNs, spec }: NetworkDefinition): NetworkInspect => ({
  Name: name,
  Id: id,
  Created: formatNs(createdNs),
  Scope: "local",
  Driver: driver,
  EnableIPv4: true,
  EnableIPv6: false,
  IPAM: {
    Driver: "default",
    Options: null,
    Config:
      spec.subnet === undefined
        ? null
        : [{ Subnet: spec.subnet, ...(spec.gateway === undefined ? {} : { Gateway: spec.gateway }) }],
  },
  Internal: spec.internal,
  Attachable: spec.attachable,
  Ingress: false,
  ConfigFrom: { Network: "" },
  ConfigOnly: false,
  Containers: {},
  Options: { ...spec.options },
  Labels: { ...spec.labels },
});

export const subnetSpec = (subnet: Subnet, gateway: number): Pick<NetworkSpec, "subnet" | "gateway"> => ({
  subnet: formatSubnet(subnet),
  gateway: formatIpv4(gateway),
});
