import { join } from "node:path";
import type { TarEntry } from "../../lib/tar/entry.ts";
import { TarReader } from "../../lib/tar/reader.ts";
import { readRecord, recordFile } from "../record.ts";

/** The entries of a layer's tar, in its order, from the record alone: no file of the layer is looked at. */
export function* layerEntries(folder: string): Generator<TarEntry> {
  let found: TarEntry[] = [];
  const reader = new TarReader({
    entry: (entry) => void found.push(entry),
    data: () => undefined,
    end: () => undefined,
  });
  for (const frame of readRecord(join(folder, recordFile))) {
    if (frame.path === undefined) reader.push(frame.bytes);
    else reader.skip(frame.length);
    if (found.length === 0) continue;
    yield* found;
    found = [];
  }
}
