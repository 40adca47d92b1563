import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { threadId } from "node:worker_threads";
import type { FileStatus } from "../../system/at.ts";

/**
 * Content digests of a tree's files by what stat(2) tells of them, so that an unchanged tree is not read again. A file
 * that changed a moment ago is not kept: it could change once more within the clock's tick.
 */
const entriesMax = 250_000;
const settledMs = 100;

interface Known {
  stamp: string;
  facts: FileFacts;
}

/** What cannot be told without opening a file; both change its ctime when they change. */
export interface FileFacts {
  /** hex */
  digest: string;
  /** " name=value …", as bytes */
  xattrs: string;
}

const stampOf = ({ inode, size, ctime, mtime }: FileStatus): string =>
  `${inode} ${size} ${ctime.s}.${ctime.ns} ${mtime.s}.${mtime.ns}`;

export class StatCache {
  private readonly path: string | undefined;
  private readonly known: Map<string, Known>;
  private changed = false;

  /** `path` undefined = nothing is kept. A file that cannot be read counts as empty. */
  constructor(path: string | undefined) {
    this.path = path;
    this.known = path === undefined ? new Map() : load(path);
  }

  get(path: string, status: FileStatus): FileFacts | undefined {
    const known = this.known.get(path);
    return known?.stamp === stampOf(status) ? known.facts : undefined;
  }

  /** `status` is of before the file was opened: what changes after that has another. */
  put(path: string, status: FileStatus, facts: FileFacts): void {
    if (this.path === undefined) return;
    if (Date.now() - (status.ctime.s * 1000 + status.ctime.ns / 1e6) < settledMs) return;
    if (this.known.size >= entriesMax && !this.known.has(path)) return;
    this.known.set(path, { stamp: stampOf(status), facts });
    this.changed = true;
  }

  save(): void {
    if (this.path === undefined || !this.changed) return;
    const lines: string[] = [];
    for (const [path, { stamp, facts }] of this.known)
      lines.push(`${facts.digest} ${stamp} ${Buffer.from(facts.xattrs, "latin1").toString("hex")} ${path}\0`);
    // two worker threads may look at one folder at the same time
    const temporary = `${this.path}.new${threadId}`;
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, Bun.zstdCompressSync(Buffer.from(lines.join(""), "latin1"), { level: 1 }), {
      mode: 0o600,
    });
    renameSync(temporary, this.path);
    this.changed = false;
  }
}

function load(path: string): Map<string, Known> {
  const known = new Map<string, Known>();
  try {
    const text = Buffer.from(Bun.zstdDecompressSync(readFileSync(path))).toString("latin1");
    for (const line of text.split("\0")) {
      const [, digest, stamp, hex, name] = /^(\S+) (\S+ \S+ \S+ \S+) (\S*) (.*)$/s.exec(line) ?? [];
      if (digest === undefined || stamp === undefined || hex === undefined || name === undefined) continue;
      const xattrs = hex === "" ? "" : Buffer.from(hex, "hex").toString("latin1");
      known.set(name, { stamp, facts: { digest, xattrs } });
    }
  } catch (error) {
    // it is only a cache: what is damaged goes
    if ((error as { code?: unknown }).code !== "ENOENT") rmSync(path, { force: true });
  }
  return known;
}
