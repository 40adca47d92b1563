import { join } from "node:path";
import { tarEntry } from "../../lib/tar/writer.ts";
import { isWhiteout } from "../../snapshots/drivers/form.ts";
import { RecordWriter, recordFile } from "../../snapshots/record.ts";
import type { ApplyResult } from "../../snapshots/worker/apply.ts";
import { entryOf, markerOf } from "../../snapshots/worker/diff.ts";
import { TarBuilder } from "../../snapshots/worker/tar-builder.ts";
import { refuseLong } from "../../snapshots/worker/written.ts";
import { type FileStatus, type FileTime, statAt } from "../../system/files/at.ts";
import type { Place } from "./target.ts";

/** What a file was given; its time in whole seconds, as in every layer. */
export interface FileDetails {
  mode: number;
  uid: number;
  gid: number;
  mtime: FileTime;
  xattrs: ReadonlyMap<string, string>;
}

/**
 * Tells a new layer's tar while its files are written, so that nobody has to read them again for the diff id. Entries
 * come in the tar's order, which is that of the walk that writes them: `snapshots/worker/written.ts` would find the same.
 */
export class ToldLayer {
  private readonly record: RecordWriter;
  private readonly tar: TarBuilder;
  private readonly plainSize: boolean;
  private size = 0;

  /** The record goes beside `upper`, the folder of the layer. `plainSize`: symlinks' texts do not count. */
  constructor(upper: string, plainSize: boolean) {
    this.plainSize = plainSize;
    this.record = new RecordWriter(join(upper, "..", recordFile));
    this.tar = new TarBuilder(this.record);
  }

  /** A folder whose time will be `mtime`. */
  folder(place: Place, name: string, mtime: FileTime): void {
    this.made(place, name, mtime);
  }

  /** A link, device or fifo that is there. `first`: the path of another name that it shares its file with. */
  other(place: Place, name: string, first?: string): void {
    this.made(place, name, undefined, first);
  }

  /** A regular file: its bytes, or its size and where to read them. */
  file(path: string, details: FileDetails, content: Uint8Array | { fd: number; size: number }): void {
    refuseLong(path);
    const name = path.slice(1);
    const size = content instanceof Uint8Array ? content.length : content.size;
    this.tar.header(tarEntry({ type: "file", name, size, ...details }));
    this.size += size;
    if (size === 0) return;
    this.record.file(name, 0, size);
    if (content instanceof Uint8Array) this.tar.bytes(content);
    else for (const _ of this.tar.content(content.fd, size));
  }

  finish(): ApplyResult {
    return { ...this.tar.finish(), size: this.size };
  }

  close(): void {
    this.record.close();
  }

  private made({ upper, path: above }: Place, name: string, mtime?: FileTime, first?: string): void {
    const status = statAt(upper, name);
    if (status === undefined) return;
    const path = `${above}/${name}`;
    refuseLong(path);
    if (isWhiteout(status)) {
      this.tar.header(markerOf({ kind: "whiteout", path }));
      return;
    }
    const links = new Map(first === undefined ? [] : [[status.inode, first.slice(1)]]);
    const told: FileStatus = mtime === undefined ? status : { ...status, mtime };
    const entry = entryOf({ status: told, path, dir: upper, name }, links);
    if (entry === undefined) return;
    if (entry.type === "symlink" && !this.plainSize) this.size += entry.linkName.length;
    this.tar.header(entry);
  }
}
