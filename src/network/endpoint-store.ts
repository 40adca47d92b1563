import type { State } from "../state/database.ts";
import type { EndpointSettings } from "../types/api.ts";
import type { PublishedPort } from "./ports/published.ts";

/** A container's place in one network, as recorded in `endpoints`: what adopting or sweeping it needs. */
export interface EndpointRecord {
  id: string;
  containerId: string;
  networkId: string;
  /** dotted; null where the network has no addresses */
  ipv4: string | null;
  spec: {
    sandboxId: string;
    netnsPath: string;
    networkName: string;
    /** the host's side of the veth; "" without one */
    link: string;
    settings: EndpointSettings;
    ports: PublishedPort[];
  };
}

interface Row {
  id: string;
  container_id: string;
  network_id: string;
  ipv4: string | null;
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
      .query<Row, []>("SELECT id, container_id, network_id, ipv4, spec FROM endpoints ORDER BY rowid")
      .all()
      .map((row) => ({
        id: row.id,
        containerId: row.container_id,
        networkId: row.network_id,
        ipv4: row.ipv4,
        spec: JSON.parse(row.spec) as EndpointRecord["spec"],
      }));
  }

  add(records: readonly EndpointRecord[]): void {
    const insert = this.state.db.query(
      "INSERT INTO endpoints (id, container_id, network_id, ipv4, spec) VALUES (?, ?, ?, ?, ?)",
    );
    this.commit(() => {
      for (const record of records)
        insert.run(record.id, record.containerId, record.networkId, record.ipv4, JSON.stringify(record.spec));
    });
  }

  update({ id, spec }: EndpointRecord): void {
    const update = this.state.db.query("UPDATE endpoints SET spec = ? WHERE id = ?");
    this.commit(() => update.run(JSON.stringify(spec), id));
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
