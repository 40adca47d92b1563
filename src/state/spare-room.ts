import { existsSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const spareBytes = 8 << 20;
/** free bytes below which an engine may not come up: it makes folders, tries mounts, and writes its state */
const tightBytes = 4 << 20;
/** free bytes from which on room is kept */
const amplyBytes = 256 << 20;
const againMs = 60_000;

/**
 * A file of the data root that holds room for nothing. On a disk that is full to its last byte it goes, so that the engine
 * comes up, and what would make room (`rm`, `rmi`, `prune`) can be written down.
 */
export class SpareRoom {
  private readonly folder: string;
  private readonly file: string;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(dataRoot: string) {
    this.folder = dataRoot;
    this.file = join(dataRoot, "spare-room");
  }

  /** Where the disk has room for it; later where it has not. */
  keep(): void {
    clearTimeout(this.timer);
    if (existsSync(this.file) || this.fill()) return;
    this.timer = setTimeout(() => this.keep(), againMs);
    this.timer.unref();
  }

  giveIfTight(): void {
    if (this.free() < tightBytes) this.give();
  }

  /** Whether there was some to give. */
  give(): boolean {
    const given = existsSync(this.file);
    rmSync(this.file, { force: true });
    this.keep();
    return given;
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private free(): number {
    // not `bfree`: ext4 keeps clusters back that are in it, also from root
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  /** What hinders this hinders the state itself, which tells it: whoever waits for nothing but room must not end the engine. */
  private fill(): boolean {
    const temporary = `${this.file}.new`;
    try {
      if (this.free() < amplyBytes) return false;
      writeFileSync(temporary, Buffer.alloc(spareBytes), { mode: 0o600 });
      renameSync(temporary, this.file);
      return true;
    } catch {
      rmSync(temporary, { force: true });
      return false;
    }
  }
}
