import { closeSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import type { Entry } from "./entry.ts";

/** What is left to do for a listed file once its listing is over, or nothing. */
export const work = { none: 0, bytes: 1, hardLink: 2 } as const;

export interface Row {
  entry: Entry;
  /** the file's number in the transfer */
  id: number;
  work: (typeof work)[keyof typeof work];
}

/**
 * A transfer's listing, in its order: written once, and read from its beginning while it still grows. A million files are
 * not held in memory.
 */
export interface Rows {
  add(row: Row): void;
  /** Reads on where it was; undefined = there are no more now. */
  cursor(): () => Row | undefined;
  /** What was received for a file is not what was listed: it is to be asked for again next time. */
  spoil(id: number): void;
}

/** In memory, for a few files. */
export class RowList implements Rows {
  private readonly rows: Row[] = [];

  add(row: Row): void {
    this.rows.push(row);
  }

  cursor(): () => Row | undefined {
    let at = 0;
    return () => (at < this.rows.length ? this.rows[at++] : undefined);
  }

  spoil(id: number): void {
    const row = this.rows.find((each) => each.id === id);
    if (row) row.entry.size = -1;
  }
}

/** with more of them nothing is kept of the listing */
const spoiledMax = 10_000;
const pendingMax = 64 * 1024;

/** In a file, which becomes the index of what a kept folder holds. */
export class RowFile implements Rows {
  private readonly path: string;
  private readonly fd: number;
  private readonly start: number;
  private readonly spoiled = new Set<number>();
  private pending: string[] = [];
  private pendingLength = 0;
  private written = 0;
  private isOpen = true;

  /** `header` is a line of its own. */
  constructor(path: string, header: string) {
    this.path = path;
    this.fd = openSync(path, "w+", 0o600);
    this.put(`${header}\n`);
    this.flush();
    this.start = this.written;
  }

  add({ entry, id, work: left }: Row): void {
    this.put(`${lineOf(entry, id, left)}\n`);
  }

  cursor(): () => Row | undefined {
    const lines = linesOf(this.fd, this.start);
    return () => {
      let line = lines();
      if (line === undefined && this.pending.length > 0) {
        this.flush();
        line = lines();
      }
      return line === undefined ? undefined : rowOf(line);
    };
  }

  spoil(id: number): void {
    if (this.spoiled.size <= spoiledMax) this.spoiled.add(id);
  }

  /** Makes it the file of that name, behind `end` as its last line. */
  become(name: string, header: string, end: string): void {
    if (this.spoiled.size > spoiledMax) return;
    if (this.spoiled.size > 0) {
      this.mended(header).become(name, header, end);
      return;
    }
    this.put(`${end}\n`);
    this.flush();
    this.close();
    renameSync(this.path, name);
  }

  /** Lets go of the file; gone unless it has become another. */
  abandon(): void {
    if (!this.isOpen) return;
    this.close();
    rmSync(this.path, { force: true });
  }

  private mended(header: string): RowFile {
    // the old file stays readable by its descriptor
    rmSync(this.path, { force: true });
    const mended = new RowFile(this.path, header);
    const next = this.cursor();
    for (let row = next(); row !== undefined; row = next()) {
      if (this.spoiled.has(row.id)) row.entry.size = -1;
      mended.add(row);
    }
    this.close();
    return mended;
  }

  private put(line: string): void {
    this.pending.push(line);
    this.pendingLength += line.length;
    if (this.pendingLength >= pendingMax) this.flush();
  }

  private flush(): void {
    const bytes = Buffer.from(this.pending.join(""), "utf8");
    for (let at = 0; at < bytes.length; )
      at += writeSync(this.fd, bytes, at, bytes.length - at, this.written + at);
    this.written += bytes.length;
    this.pending = [];
    this.pendingLength = 0;
  }

  private close(): void {
    this.isOpen = false;
    closeSync(this.fd);
  }
}

const lineOf = (
  { path, mode, uid, gid, size, modTime, link, deviceMajor, deviceMinor }: Entry,
  id: number,
  left: Row["work"],
): string =>
  JSON.stringify([path, mode, uid, gid, size, String(modTime), link, deviceMajor, deviceMinor, id, left]);

type Fields = [string, number, number, number, number, string, string, number, number, number, Row["work"]];

export function rowOf(line: string): Row {
  const [path, mode, uid, gid, size, modTime, link, deviceMajor, deviceMinor, id, left] = JSON.parse(
    line,
  ) as Fields;
  const entry = { path, mode, uid, gid, size, modTime: BigInt(modTime), link, deviceMajor, deviceMinor };
  return { entry, id, work: left };
}

/** The lines of a file from an offset on, as far as they are whole; it may grow meanwhile. */
export function linesOf(fd: number, start: number): () => string | undefined {
  let position = start;
  let held: Buffer = Buffer.alloc(0);
  const piece = Buffer.allocUnsafeSlow(pendingMax);
  return () => {
    for (;;) {
      const end = held.indexOf(10);
      if (end >= 0) {
        const line = held.toString("utf8", 0, end);
        held = held.subarray(end + 1);
        return line;
      }
      const count = readSync(fd, piece, 0, piece.length, position);
      if (count === 0) return undefined;
      position += count;
      held = Buffer.concat([held, piece.subarray(0, count)]);
    }
  };
}
