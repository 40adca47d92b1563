import { EngineError } from "../lib/errors.ts";
import type { State } from "../state/database.ts";
import { Container, type ContainerRow } from "./container.ts";
import type { ContainerLife, ContainerSpec } from "./contract.ts";
import { Uses } from "./uses.ts";

/**
 * Every container, in memory and in its row (`containers`), changed together. A name is taken here first, so that two
 * creates cannot both have it while their folders are made.
 */
export class ContainerStore {
  private readonly state: State;
  private readonly byId = new Map<string, Container>();
  private readonly byName = new Map<string, string>();
  /** none once a container came, went or changed: made when next asked for */
  private lastUses: Uses | undefined;

  constructor(state: State) {
    this.state = state;
    for (const row of state.db
      .query<TableRow, []>(
        "SELECT id, name, image_id, spec, state, CAST(created_at AS TEXT) AS created_at FROM containers ORDER BY containers.created_at",
      )
      .all()) {
      const container = new Container(rowOf(row));
      this.byId.set(container.id, container);
      this.byName.set(container.name, container.id);
    }
  }

  all(): Container[] {
    return [...this.byId.values()];
  }

  /** Who uses which image and volume now. To ask it of each of many costs one pass over the containers. */
  uses(): Uses {
    this.lastUses ??= new Uses(this.byId.values());
    return this.lastUses;
  }

  get(id: string): Container | undefined {
    return this.byId.get(id);
  }

  /** By full id, then name (with or without `/`), then unique prefix of an id. */
  find(idOrName: string): Container {
    const found = this.lookUp(idOrName);
    if (found) return found;
    throw new EngineError("notFound", `No such container: ${idOrName}`);
  }

  lookUp(idOrName: string): Container | undefined {
    if (idOrName === "") throw new EngineError("invalid", 'invalid name or ID supplied: ""');
    const exact = this.byId.get(idOrName);
    if (exact) return exact;
    const named = this.byId.get(this.byName.get(idOrName.replace(/^\//, "")) ?? "");
    if (named) return named;
    if (idOrName.includes("/")) return this.linked(idOrName.replace(/^\//, ""));
    if (!/^[0-9a-f]{1,64}$/.test(idOrName)) return undefined;
    let match: Container | undefined;
    for (const [id, container] of this.byId) {
      if (!id.startsWith(idOrName)) continue;
      if (match) throw new EngineError("invalid", `multiple IDs found with provided prefix: ${idOrName}`);
      match = container;
    }
    return match;
  }

  /** By the name that another container's link gives it: `holder/alias`. */
  private linked(path: string): Container | undefined {
    const at = path.indexOf("/");
    const holder = this.byId.get(this.byName.get(path.slice(0, at)) ?? "");
    const link = holder?.spec.links?.find(({ alias }) => alias === path.slice(at + 1));
    return link && this.byId.get(link.containerId);
  }

  nameTaken(name: string): string | undefined {
    return this.byName.get(name);
  }

  /** Takes a name for an id that has no row yet; `conflict` in Docker's words where another has it. */
  reserve(name: string, id: string): void {
    const holder = this.byName.get(name);
    if (holder !== undefined)
      throw new EngineError(
        "conflict",
        `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    this.byName.set(name, id);
  }

  release(name: string, id: string): void {
    if (this.byName.get(name) === id) this.byName.delete(name);
  }

  /**
   * Writes down a container that is being made, as one to be removed: a crash before `insert` then takes its anonymous
   * volumes along.
   */
  announce(container: Container): void {
    this.write(container, { ...container.life, status: "removing" });
  }

  retract(id: string): void {
    this.state.db.query("DELETE FROM containers WHERE id = ?").run(id);
  }

  insert(container: Container): void {
    this.write(container, container.life);
    this.byId.set(container.id, container);
    this.lastUses = undefined;
  }

  private write(container: Container, life: ContainerLife): void {
    this.state.db
      .query(
        "INSERT INTO containers (id, name, image_id, spec, state, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET spec = excluded.spec, state = excluded.state",
      )
      .run(
        container.id,
        container.name,
        container.imageId,
        JSON.stringify(container.spec),
        JSON.stringify(life),
        container.createdAtNs,
      );
  }

  saveLife(container: Container): void {
    this.setLife(container, container.life);
  }

  /** Changes the row, then the memory: where the row cannot be written nothing has changed. */
  setLife(container: Container, life: ContainerLife): void {
    this.state.db
      .query("UPDATE containers SET state = ? WHERE id = ?")
      .run(JSON.stringify(life), container.id);
    container.life = life;
  }

  saveSpec(container: Container): void {
    this.state.db
      .query("UPDATE containers SET spec = ? WHERE id = ?")
      .run(JSON.stringify(container.spec), container.id);
    this.lastUses = undefined;
  }

  /** Changes both in one step; see `setLife`. */
  change(container: Container, { spec, life }: Pick<Container, "spec" | "life">): void {
    this.state.db
      .query("UPDATE containers SET spec = ?, state = ? WHERE id = ?")
      .run(JSON.stringify(spec), JSON.stringify(life), container.id);
    container.spec = spec;
    container.life = life;
    this.lastUses = undefined;
  }

  rename(container: Container, name: string): void {
    this.reserve(name, container.id);
    try {
      this.state.db.query("UPDATE containers SET name = ? WHERE id = ?").run(name, container.id);
    } catch (error) {
      this.release(name, container.id);
      throw error;
    }
    this.release(container.name, container.id);
    container.name = name;
  }

  /** Name and id are free when this returns. */
  delete(container: Container): void {
    this.state.db.query("DELETE FROM containers WHERE id = ?").run(container.id);
    this.byId.delete(container.id);
    this.lastUses = undefined;
    this.release(container.name, container.id);
  }
}

interface TableRow {
  id: string;
  name: string;
  image_id: string;
  spec: string;
  state: string;
  created_at: string;
}

function rowOf(row: TableRow): ContainerRow {
  return {
    id: row.id,
    name: row.name,
    imageId: row.image_id,
    spec: JSON.parse(row.spec) as ContainerSpec,
    life: JSON.parse(row.state) as ContainerLife,
    createdAtNs: BigInt(row.created_at),
  };
}
