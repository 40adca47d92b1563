import { EngineError } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { nowNs } from "../../lib/time/time.ts";
import type { State } from "../../state/database.ts";

export type NetworkDriver = "bridge" | "host" | "null" | "macvlan" | "ipvlan";

/** One subnet of a network. */
export interface SubnetSpec {
  /** CIDR; "" where a configuration network leaves it open */
  subnet: string;
  /** address of the gateway; "" while a configuration network leaves it open */
  gateway: string;
  /** the user named the gateway, or the engine chose subnet and gateway: `inspect` tells it */
  gatewayTold: boolean;
  /** the engine chose the subnet */
  chosen: boolean;
  /** CIDR of the part from which addresses are given */
  range?: string;
  /** addresses by name that are never given */
  auxiliary?: Record<string, string>;
}

/** A network as it is recorded in `networks.spec`: what `inspect` tells, and what the kernel's side is made from. */
export interface NetworkSpec {
  internal: boolean;
  attachable: boolean;
  ingress: boolean;
  scope: string;
  ipv4: boolean;
  ipv6: boolean;
  options: Record<string, string>;
  labels: Record<string, string>;
  ipam: { driver: string; options: Record<string, string> | null };
  subnets: SubnetSpec[];
  /** only lends its configuration to others */
  configOnly: boolean;
  /** name of the network it borrowed its configuration from, "" = none */
  configFrom: string;
}

export interface NetworkDefinition {
  id: string;
  name: string;
  driver: NetworkDriver;
  createdNs: bigint;
  spec: NetworkSpec;
}

export const emptySpec: NetworkSpec = {
  internal: false,
  attachable: false,
  ingress: false,
  scope: "local",
  ipv4: true,
  ipv6: false,
  options: {},
  labels: {},
  ipam: { driver: "default", options: null },
  subnets: [],
  configOnly: false,
  configFrom: "",
};

const predefined: ReadonlySet<string> = new Set(["bridge", "host", "none"]);

export const isPredefined = (name: string): boolean => predefined.has(name);

interface Row {
  id: string;
  name: string;
  driver: string;
  spec: string;
  created_at: string;
}

/** The `networks` rows, read once and kept. */
export class Definitions {
  private readonly state: State;
  private readonly byId: Map<string, NetworkDefinition>;
  private readonly byName: Map<string, NetworkDefinition>;

  constructor(state: State) {
    this.state = state;
    const all = this.read();
    this.byId = new Map(all.map((one) => [one.id, one]));
    this.byName = new Map(all.map((one) => [one.name, one]));
  }

  /** In the order in which they were made. */
  all(): NetworkDefinition[] {
    return [...this.byId.values()];
  }

  get(id: string): NetworkDefinition | undefined {
    return this.byId.get(id);
  }

  named(name: string): NetworkDefinition | undefined {
    return this.byName.get(name);
  }

  /** By id, name, or a prefix that only one id has. Docker's sentences. */
  find(nameOrId: string): NetworkDefinition {
    const exact = this.byId.get(nameOrId) ?? this.byName.get(nameOrId);
    if (exact) return exact;
    const matches = nameOrId === "" ? [] : this.all().filter(({ id }) => id.startsWith(nameOrId));
    if (matches.length > 1)
      throw new EngineError(
        "invalid",
        `network ${nameOrId} is ambiguous (${matches.length} matches found based on ID prefix)`,
      );
    if (!matches[0]) throw new EngineError("notFound", `network ${nameOrId} not found`);
    return matches[0];
  }

  /** The same, `undefined` where there is none, or more than one. */
  known(nameOrId: string): NetworkDefinition | undefined {
    const exact = this.byId.get(nameOrId) ?? this.byName.get(nameOrId);
    if (exact || nameOrId === "") return exact;
    const matches = this.all().filter(({ id }) => id.startsWith(nameOrId));
    return matches.length === 1 ? matches[0] : undefined;
  }

  /** Networks of the user's that have a bridge on the host whether containers are in them or not. */
  hasUserBridges(): boolean {
    return this.all().some(({ name, driver }) => driver === "bridge" && name !== "bridge");
  }

  add(definition: NetworkDefinition): void {
    const { id, name, driver, createdNs, spec } = definition;
    this.state.transaction(() =>
      this.state.db
        .query("INSERT INTO networks (id, name, driver, spec, created_at) VALUES (?, ?, ?, ?, ?)")
        .run(id, name, driver, JSON.stringify(spec), createdNs),
    );
    this.keep(definition);
  }

  remove(id: string): void {
    this.state.transaction(() => this.state.db.query("DELETE FROM networks WHERE id = ?").run(id));
    const gone = this.byId.get(id);
    this.byId.delete(id);
    if (gone) this.byName.delete(gone.name);
  }

  /** Writes a predefined network anew; its id and time stay when it has a row. */
  put(name: string, driver: NetworkDriver, spec: NetworkSpec): void {
    const known = this.byName.get(name);
    if (!known) {
      this.add({ id: newId(), name, driver, createdNs: nowNs(), spec });
      return;
    }
    this.state.transaction(() =>
      this.state.db.query("UPDATE networks SET spec = ? WHERE id = ?").run(JSON.stringify(spec), known.id),
    );
    this.keep({ ...known, spec });
  }

  private keep(definition: NetworkDefinition): void {
    this.byId.set(definition.id, definition);
    this.byName.set(definition.name, definition);
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
        spec: { ...emptySpec, ...(JSON.parse(row.spec) as Partial<NetworkSpec>) },
      }));
  }
}
