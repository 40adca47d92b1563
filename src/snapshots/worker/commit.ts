import { mkdirSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { TarEntry } from "../../lib/tar/entry.ts";
import { close } from "../../system/files/at.ts";
import type { Writes } from "../drivers/driver.ts";
import { RecordWriter, recordFile, replacedFolder } from "../record.ts";
import { Unpacker } from "../unpack/unpacker.ts";
import { type ApplyResult, asTold, freeBytes, openFolder } from "./apply.ts";
import { piecesOf } from "./diff.ts";
import { TarBuilder } from "./tar-builder.ts";
import { removeTree } from "./tree.ts";

export interface CommitRequest {
  writes: Writes;
  /** folder made for the layer, and the name it gets once complete (both absolute, on one file system) */
  temporary: string;
  final: string;
  /** the written folder itself becomes the layer: nothing is copied, and the snapshot is of no more use */
  consume: boolean;
  /** with `consume`: symlinks' texts do not count */
  plainSize: boolean;
  /** of what is copied: no time told is later, seconds since the epoch */
  latest?: number;
}

/**
 * Makes a layer of a snapshot's writes: each file is read once, hashed as part of the layer's tar, and written to the
 * new folder in the same pass, or stays where it is.
 */
export async function commit(request: CommitRequest): Promise<ApplyResult> {
  const { temporary, final, writes } = request;
  try {
    mkdirSync(temporary, { recursive: true, mode: 0o755 });
    const take = request.consume && writes.kind === "upper";
    const result = take ? await taken(request) : await copied(request);
    if (take) renameSync(writes.folder, join(temporary, "diff"));
    renameSync(temporary, final);
    return result;
  } catch (error) {
    removeTree(temporary);
    removeTree(final);
    throw asTold(error);
  }
}

/** The written folder as it lies: only the record is new. */
async function taken({ writes, temporary, plainSize }: CommitRequest): Promise<ApplyResult> {
  const record = new RecordWriter(join(temporary, recordFile));
  const tar = new TarBuilder(record);
  let size = 0;
  try {
    for (const piece of piecesOf(writes, true)) {
      const { entry, fd } = piece;
      size += entry.type !== "symlink" ? entry.size : plainSize ? 0 : entry.linkName.length;
      tar.header(entry);
      if (fd !== undefined && entry.size > 0) {
        record.file(entry.name, 0, entry.size);
        for (const bytes of tar.content(fd, entry.size)) await tar.pause(bytes.length);
      }
    }
    return { ...tar.finish(), size };
  } finally {
    record.close();
  }
}

function notAfter(latest: number | undefined, entry: TarEntry): TarEntry {
  return latest === undefined || entry.mtime.s < latest ? entry : { ...entry, mtime: { s: latest, ns: 0 } };
}

async function copied({ writes, temporary, latest }: CommitRequest): Promise<ApplyResult> {
  const record = new RecordWriter(join(temporary, recordFile));
  const root = openFolder(join(temporary, "diff"), 0o755);
  const replaced = openFolder(join(temporary, replacedFolder), 0o700);
  const limits = { bytesMax: freeBytes(temporary), entriesMax: Number.POSITIVE_INFINITY };
  const unpacker = new Unpacker({ root, replaced, record, form: writes.form, kind: "layer", ...limits });
  const tar = new TarBuilder(record);
  try {
    for (const piece of piecesOf(writes)) {
      const entry = notAfter(latest, piece.entry);
      tar.header(entry);
      unpacker.entry(entry);
      if (piece.fd !== undefined)
        for (const bytes of tar.content(piece.fd, piece.entry.size)) {
          unpacker.data(bytes);
          await tar.pause(bytes.length);
        }
      unpacker.end();
    }
    const sums = tar.finish();
    unpacker.finish();
    rmdirSync(join(temporary, replacedFolder));
    return { ...sums, size: unpacker.size };
  } catch (error) {
    unpacker.abandon();
    throw error;
  } finally {
    record.close();
    close(root);
    close(replaced);
  }
}
