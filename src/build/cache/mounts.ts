import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "../../lib/ids.ts";
import type { State } from "../../state/database.ts";

interface CacheMountRequest {
  id: string;
  sharing: "shared" | "private" | "locked";
  mode: number;
  uid: number;
  gid: number;
  description: string;
  /** whatever there is of this id gives way to an empty one */
  fresh: boolean;
  /** fills a new one */
  seed?: (folder: string) => Promise<void>;
  signal: AbortSignal;
}

interface HeldMount {
  folder: string;
  release(): void;
}

interface CacheMountRow {
  folder: string;
  id: string;
  description: string;
  createdAt: number;
  usedAt: number;
  uses: number;
  size: number;
}

interface Row {
  folder: string;
  id: string;
  description: string;
  created_at: number;
  used_at: number;
  uses: number;
  size: number;
}

/**
 * The folders of `RUN --mount=type=cache`. `shared`: all use one at once; `locked`: one after the other; `private`: whoever
 * finds it in use gets another. What is in them is whatever steps left there: it is only ever mounted, never read.
 */
export class CacheMounts {
  private readonly state: State;
  private readonly root: string;
  /** by folder: how many use it, and whether one wants it alone */
  private readonly held = new Map<string, { users: number; alone: boolean }>();
  private readonly waiting = new Set<() => void>();

  constructor(state: State, root: string) {
    this.state = state;
    this.root = root;
  }

  async acquire(request: CacheMountRequest): Promise<HeldMount> {
    if (request.fresh) {
      this.replace(request.id);
      return await this.acquire({ ...request, fresh: false });
    }
    for (;;) {
      request.signal.throwIfAborted();
      const names = this.named(request.id);
      const free = names.find((name) => this.fits(name, request.sharing));
      if (free !== undefined) return this.hold(free, request.sharing);
      if (names.length === 0 || request.sharing === "private") return await this.make(request);
      await this.change(request.signal);
    }
  }

  all(): CacheMountRow[] {
    return this.state.db
      .query<Row, []>("SELECT * FROM build_cache_mounts ORDER BY used_at")
      .all()
      .map(({ folder, id, description, created_at, used_at, uses, size }) => ({
        folder,
        id,
        description,
        createdAt: created_at,
        usedAt: used_at,
        uses,
        size,
      }));
  }

  inUse(folder: string): boolean {
    return this.held.has(folder);
  }

  pathOf(folder: string): string {
    return join(this.root, folder);
  }

  setSize(folder: string, size: number): void {
    this.state.db.query("UPDATE build_cache_mounts SET size = ? WHERE folder = ?").run(size, folder);
  }

  /** The row goes; the caller deletes the folder. */
  forget(folder: string): void {
    this.state.db.query("DELETE FROM build_cache_mounts WHERE folder = ?").run(folder);
  }

  private named(id: string): string[] {
    return this.state.db
      .query<{ folder: string }, [string]>(
        "SELECT folder FROM build_cache_mounts WHERE id = ? ORDER BY created_at",
      )
      .all(id)
      .map(({ folder }) => folder);
  }

  /** Nobody finds them by their id any more; they go as what is least used goes. */
  private replace(id: string): void {
    this.state.db
      .query("UPDATE build_cache_mounts SET id = id || ' replaced', used_at = 0 WHERE id = ?")
      .run(id);
  }

  private fits(folder: string, sharing: CacheMountRequest["sharing"]): boolean {
    const held = this.held.get(folder);
    return held === undefined || (sharing === "shared" && !held.alone);
  }

  private hold(folder: string, sharing: CacheMountRequest["sharing"]): HeldMount {
    const held = this.held.get(folder) ?? { users: 0, alone: sharing !== "shared" };
    held.users++;
    this.held.set(folder, held);
    this.state.db
      .query("UPDATE build_cache_mounts SET used_at = ?, uses = uses + 1 WHERE folder = ?")
      .run(Date.now(), folder);
    let open = true;
    return {
      folder: this.pathOf(folder),
      release: () => {
        if (!open) return;
        open = false;
        if (--held.users === 0) this.held.delete(folder);
        for (const wake of this.waiting) wake();
        this.waiting.clear();
      },
    };
  }

  /** The folder is made first; a crash in between leaves one that no row names, which is swept. */
  private async make(request: CacheMountRequest): Promise<HeldMount> {
    const folder = newId().slice(0, 24);
    const path = this.pathOf(folder);
    this.held.set(folder, { users: 0, alone: request.sharing !== "shared" });
    try {
      await mkdir(path, { recursive: true });
      await request.seed?.(path);
      await chown(path, request.uid, request.gid);
      await chmod(path, request.mode);
    } catch (error) {
      await this.discard(folder);
      throw error;
    }
    const now = Date.now();
    const again = this.named(request.id);
    // another step has made one meanwhile, and it can be shared
    if (again.length > 0 && request.sharing !== "private") {
      await this.discard(folder);
      return await this.acquire(request);
    }
    this.state.db
      .query("INSERT INTO build_cache_mounts VALUES (?, ?, ?, ?, ?, 0, 0)")
      .run(folder, request.id, request.description, now, now);
    return this.hold(folder, request.sharing);
  }

  /** One that was made in vain. */
  private async discard(folder: string): Promise<void> {
    await rm(this.pathOf(folder), { recursive: true, force: true });
    this.held.delete(folder);
  }

  private async change(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.waiting.add(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}
