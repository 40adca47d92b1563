import type { State } from "../../state/database.ts";
import type { EndpointSettings } from "../../types/api.ts";
import type { DnsChoice } from "../contract.ts";
import type { PublishedPort } from "../ports/published.ts";

/** A container's place in one network, as recorded in `endpoints`: what adopting or sweeping it needs. */
export interface EndpointRecord {
  id: string;
  containerId: string;
  networkId: string;
  /** dotted; null where it has none */
  ipv4: string | null;
  ipv6: string | null;
  spec: {
    sandboxId: string;
    netnsPath: string;
    networkName: string;
    containerName: string;
    /** the host's side of the veth; "" without one */
    link: string;
    /** the container's side: "eth0"; "" without one */
    interface: string;
    /** an ipvlan of layer 3 sends out by the device, without a gateway */
    viaDevice?: boolean;
    /** of a sandbox in no network: only tells where its namespace is */
    anchor?: boolean;
    settings: EndpointSettings;
    ports: PublishedPort[];
    /** for the resolver; rows of earlier versions lack it */
    dns?: DnsChoice;
  };
}

/** what rows of earlier versions lack */
const older = { containerName: "", interface: "" };

interface Row {
  id: string;
  container_id: string;
  network_id: string;
  ipv4: string | null;
  ipv6: string | null;
  spec: string;
}

/** The `endpoints` rows. Each is there before anything is made for it, and goes after all of it is gone. */
export class EndpointStore {
  private readonly state: State;

  constructor(state: State) {
    this.state = state;
  }

  all(): EndpointRecord[] {
    return this.state.db
      .query<Row, []>("SELECT id, container_id, network_id, ipv4, ipv6, spec FROM endpoints ORDER BY rowid")
      .all()
      .map((row) => ({
        id: row.id,
        containerId: row.container_id,
        networkId: row.network_id,
        ipv4: row.ipv4,
        ipv6: row.ipv6,
        spec: {
          ...older,
          ...(JSON.parse(row.spec) as Partial<EndpointRecord["spec"]>),
        } as EndpointRecord["spec"],
      }));
  }

  /** Every address that endpoints of the network have. */
  addressesIn(networkId: string): string[] {
    return this.state.db
      .query<{ ipv4: string | null; ipv6: string | null }, [string]>(
        "SELECT ipv4, ipv6 FROM endpoints WHERE network_id = ?",
      )
      .all(networkId)
      .flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6].filter((address) => address !== null));
  }

  add(records: readonly EndpointRecord[]): void {
    const insert = this.state.db.query(
      "INSERT INTO endpoints (id, container_id, network_id, ipv4, ipv6, spec) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.commit(() => {
      for (const { id, containerId, networkId, ipv4, ipv6, spec } of records)
        insert.run(id, containerId, networkId, ipv4, ipv6, JSON.stringify(spec));
    });
  }

  update(records: readonly EndpointRecord[]): void {
    const update = this.state.db.query("UPDATE endpoints SET spec = ? WHERE id = ?");
    this.commit(() => {
      for (const { id, spec } of records) update.run(JSON.stringify(spec), id);
    });
  }

  remove(id: string): void {
    const remove = this.state.db.query("DELETE FROM endpoints WHERE id = ?");
    this.commit(() => remove.run(id));
  }

  removeContainer(containerId: string): void {
    const remove = this.state.db.query("DELETE FROM endpoints WHERE container_id = ?");
    this.commit(() => remove.run(containerId));
  }

  /**
   * A commit without waiting for the disk: these rows must survive the engine, not the machine, for namespaces and
   * veths do not survive it either. The next commit of anyone takes them to the disk.
   */
  private commit(work: () => unknown): void {
    this.state.db.run("PRAGMA synchronous = NORMAL");
    try {
      this.state.transaction(work);
    } finally {
      this.state.db.run("PRAGMA synchronous = FULL");
    }
  }
}
