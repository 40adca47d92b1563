import { byteString } from "../../../lib/tar/entry.ts";
import { headerOf, padding, tarEntry } from "../../../lib/tar/writer.ts";

/** A text as a file of an archive. */
export function* tarFile(name: string, text: string): Generator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  yield headerOf(tarEntry({ type: "file", name: byteString(name), mode: 0o644, size: bytes.length }));
  yield bytes;
  yield padding(bytes.length);
}
