import { mkdirSync, renameSync, rmdirSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { TarReader } from "../../lib/tar/reader.ts";
import { decompress } from "../../system/compression/decompress.ts";
import { close, cwdFd, flags, must, openRaw, toBytes } from "../../system/files/at.ts";
import type { LayerForm } from "../drivers/form.ts";
import { RecordWriter, recordFile, replacedFile, replacedFolder } from "../record.ts";
import { Unpacker } from "../unpack/unpacker.ts";
import { TarHash } from "./tar-hash.ts";
import { removeTree } from "./tree.ts";

export interface ApplyRequest {
  /** folder made for the layer, and the name it gets once complete (both absolute, on one file system) */
  temporary: string;
  final: string;
  form: LayerForm;
  kind: "layer" | "root";
  diffId?: string;
  bytesMax: number;
  /** see `decompress` */
  bombFrom?: number;
  entriesMax: number;
}

export interface ApplyResult {
  diffId: string;
  /** bytes of the regular files and symlinks */
  size: number;
  /** bytes of the uncompressed tar */
  tarSize: number;
  /** CRC-32 of the uncompressed tar */
  checksum: number;
}

/**
 * Unpacks a layer from a (compressed) tar: `<temporary>/diff`, the record beside it; on success all of it is renamed to
 * `final`, on failure nothing is left. Whether it has reached the disk is `durability.ts`'s business.
 */
export async function apply(request: ApplyRequest, source: AsyncIterable<Uint8Array>): Promise<ApplyResult> {
  const { temporary, final } = request;
  try {
    mkdirSync(join(temporary, "diff"), { recursive: true, mode: 0o755 });
    const result = await unpack(request, decompress(source, { ...request, inPlace: true }));
    renameSync(temporary, final);
    return result;
  } catch (error) {
    removeTree(temporary);
    removeTree(final);
    throw asTold(error);
  }
}

async function unpack(request: ApplyRequest, tar: AsyncIterable<Uint8Array>): Promise<ApplyResult> {
  const { temporary, form, kind, diffId, bytesMax, entriesMax } = request;
  const record = new RecordWriter(join(temporary, recordFile));
  const folders = [
    openFolder(join(temporary, "diff"), 0o755),
    openFolder(join(temporary, replacedFolder), 0o700),
  ] as const;
  const free = freeBytes(temporary);
  const unpacker = new Unpacker({
    root: folders[0],
    replaced: folders[1],
    record,
    form,
    kind,
    bytesMax: Math.min(bytesMax, free),
    entriesMax,
  });
  const hash = new TarHash();
  try {
    const reader = new TarReader(unpacker);
    for await (const bytes of tar) {
      hash.update(bytes);
      reader.push(bytes);
    }
    reader.finish();
    const sums = hash.finish();
    if (diffId !== undefined && sums.diffId !== diffId)
      throw new EngineError("invalid", `invalid diffID: expected "${diffId}", got "${sums.diffId}"`);
    unpacker.finish();
    record.finish();
    if (unpacker.replacements.length > 0)
      writeFileSync(join(temporary, replacedFile), JSON.stringify(unpacker.replacements));
    else rmdirSync(join(temporary, replacedFolder));
    return { ...sums, size: unpacker.size, tarSize: record.tarSize };
  } catch (error) {
    unpacker.abandon();
    record.close();
    throw error;
  } finally {
    for (const fd of folders) close(fd);
  }
}

export function openFolder(path: string, mode: number): number {
  mkdirSync(path, { recursive: true, mode });
  return must(openRaw(cwdFd, toBytes(path), flags.readOnly | flags.directory), () => `open ${path}`);
}

export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** What the kernel says of an archive's own faults, or of the disk, as clients know it. */
export function asTold(error: unknown): unknown {
  const code = (error as { code?: unknown }).code;
  if (code === "ENOSPC" || code === "EDQUOT")
    return new EngineError("internal", "no space left on device", { cause: error });
  if (code === "ENAMETOOLONG")
    return new EngineError("invalid", `a name in the archive is too long: ${messageOf(error)}`, {
      cause: error,
    });
  return error;
}
