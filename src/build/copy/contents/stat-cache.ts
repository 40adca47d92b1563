import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { threadId } from "node:worker_threads";
import type { FileStatus } from "../../../system/files/at.ts";
import { millisOf, settledMs, stampOf } from "./tally.ts";

/**
 * Content digests of a tree's files by what stat(2) tells of them, so that an unchanged tree is not read again. A file
 * that changed a moment ago is not kept: it could change once more within the clock's tick.
 *
 * A record is 48 bytes: a hash of the path, one of the path with what stat told, and the digest. So half a million files
 * cost 24 MB while they are looked at, and the same on disk.
 */
const entriesMax = 500_000;
const recordBytes = 48;
const headerBytes = 24;
const magic = "berthst3";

interface Table {
  records: Buffer;
  count: number;
}

export class StatCache {
  private readonly path: string | undefined;
  private readonly table: Table;
  /** open addressing by the path's hash: a record's number, and one */
  private index: Int32Array;
  private readonly key = Buffer.alloc(16);
  private changed = false;

  /** `path` undefined = nothing is kept. A file that cannot be read counts as empty. */
  constructor(path: string | undefined) {
    this.path = path;
    this.table = (path === undefined ? undefined : load(path)) ?? emptyTable();
    this.index = this.indexOf();
  }

  /** A file's digest in hex. */
  get(path: string, status: FileStatus): string | undefined {
    if (this.table.count === 0) return undefined;
    this.look(path, status);
    const number = this.index[this.slotOf(this.key)] ?? 0;
    if (number === 0) return undefined;
    const at = (number - 1) * recordBytes;
    const { records } = this.table;
    if (this.key.compare(records, at + 8, at + 16, 8, 16) !== 0) return undefined;
    return records.toString("hex", at + 16, at + recordBytes);
  }

  /** `status` is of before the file was opened: what changes after that has another. */
  put(path: string, status: FileStatus, digest: string): void {
    if (this.path === undefined) return;
    if (Date.now() - millisOf(status) < settledMs) return;
    const { table } = this;
    this.look(path, status);
    const number = this.index[this.slotOf(this.key)] || this.add();
    if (number === 0) return;
    const at = (number - 1) * recordBytes;
    this.key.copy(table.records, at);
    table.records.write(digest, at + 16, "hex");
    this.changed = true;
  }

  save(): void {
    if (this.path === undefined || !this.changed) return;
    const { records, count } = this.table;
    const used = records.subarray(0, count * recordBytes);
    const header = Buffer.alloc(headerBytes);
    header.write(magic, "latin1");
    header.writeUInt32LE(count, 8);
    header.writeBigUInt64LE(checkOf(used), 16);
    // two worker threads may look at one folder at the same time
    const temporary = `${this.path}.new${threadId}`;
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, header, { mode: 0o600 });
    writeFileSync(temporary, used, { flag: "a" });
    renameSync(temporary, this.path);
    this.changed = false;
  }

  private look(path: string, status: FileStatus): void {
    this.key.writeBigUInt64LE(BigInt(Bun.hash(path)), 0);
    this.key.writeBigUInt64LE(BigInt(Bun.hash(`${stampOf(status)} ${path}`)), 8);
  }

  /** Where the record of a path is named, or would be. */
  private slotOf(key: Buffer, keyAt = 0): number {
    const mask = this.index.length - 1;
    for (let slot = key.readUInt32LE(keyAt) & mask; ; slot = (slot + 1) & mask) {
      const number = this.index[slot] ?? 0;
      if (number === 0) return slot;
      const at = (number - 1) * recordBytes;
      if (key.compare(this.table.records, at, at + 8, keyAt, keyAt + 8) === 0) return slot;
    }
  }

  /** The number, and one, of a new record for the key; 0 where there is no room. */
  private add(): number {
    const { table } = this;
    if (table.count >= entriesMax) return 0;
    const before = table.records;
    if ((table.count + 1) * recordBytes > before.length) {
      table.records = Buffer.alloc(Math.min(before.length * 2, entriesMax * recordBytes));
      before.copy(table.records);
    }
    this.key.copy(table.records, table.count * recordBytes);
    table.count++;
    if (table.count * 2 > this.index.length) this.index = this.indexOf();
    else this.index[this.slotOf(this.key)] = table.count;
    return table.count;
  }

  private indexOf(): Int32Array {
    const { records, count } = this.table;
    let size = 4096;
    while (size < count * 2) size *= 2;
    this.index = new Int32Array(size);
    for (let number = 1; number <= count; number++)
      this.index[this.slotOf(records, (number - 1) * recordBytes)] = number;
    return this.index;
  }
}

const emptyTable = (): Table => ({ records: Buffer.alloc(1024 * recordBytes), count: 0 });

const checkOf = (records: Buffer): bigint => BigInt(Bun.hash(records));

function load(path: string): Table | undefined {
  try {
    const bytes = readFileSync(path);
    const count = bytes.readUInt32LE(8);
    const records = bytes.subarray(headerBytes);
    const whole =
      bytes.toString("latin1", 0, 8) === magic &&
      count <= entriesMax &&
      count > 0 &&
      records.length === count * recordBytes &&
      bytes.readBigUInt64LE(16) === checkOf(records);
    if (!whole) throw new Error(`${path} is damaged`);
    return { records, count };
  } catch (error) {
    // it is only a cache: what is damaged goes
    if ((error as { code?: unknown }).code !== "ENOENT") rmSync(path, { force: true });
    return undefined;
  }
}
