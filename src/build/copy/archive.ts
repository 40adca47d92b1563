import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "../../lib/ids.ts";
import { parseHeader } from "../../lib/tar/header.ts";
import { apply } from "../../snapshots/worker/apply.ts";
import { removeTree } from "../../snapshots/worker/tree.ts";
import { decompress } from "../../system/compression/decompress.ts";

const blockSize = 512;
const entriesMax = 10_000_000;
const bytesMax = 2 ** 40;

/** Whether a file is a tar, compressed or not: told by its first header. */
export async function isArchive(path: string): Promise<boolean> {
  try {
    return isHeader(await firstBlock(createReadStream(path)));
  } catch {
    return false; // whatever is wrong with it, it is no archive that could be unpacked
  }
}

async function firstBlock(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of decompress(source)) {
    pieces.push(bytes.slice(0, blockSize));
    length += bytes.length;
    if (length >= blockSize) break;
  }
  return Buffer.concat(pieces).subarray(0, blockSize);
}

function isHeader(block: Buffer): boolean {
  if (block.length < blockSize) return false;
  if (block.every((byte) => byte === 0)) return false;
  parseHeader(block);
  return true;
}

/** Unpacks an archive into a folder of its own for as long as `use` runs. */
export async function unpacked<T>(path: string, scratch: string, use: (folder: string) => T): Promise<T> {
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const final = join(scratch, newId().slice(0, 24));
  const temporary = `${final}.new`;
  try {
    await apply(
      { temporary, final, form: "overlay", kind: "root", bytesMax, entriesMax },
      createReadStream(path),
    );
    return use(join(final, "diff"));
  } finally {
    removeTree(final);
  }
}
