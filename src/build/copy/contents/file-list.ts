import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newId } from "../../../lib/ids.ts";

/** Entries of a list that is kept; a longer one explains nothing. */
const listMax = 100_000;
const nameOf = (digest: string): string => digest.slice("sha256:".length);

/** What a COPY took, an entry a file: `<path>\n<what is known of it>`, as byte strings. Kept by the digest of it all. */
export class FileList {
  private bytes = Buffer.allocUnsafe(16 * 1024);
  private length = 0;
  private count = 0;

  add(line: string): void {
    if (++this.count > listMax) {
      this.bytes = Buffer.alloc(0);
      return;
    }
    while (this.length + line.length + 1 > this.bytes.length) {
      const larger = Buffer.allocUnsafe(this.bytes.length * 2);
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    if (this.length > 0) this.bytes[this.length++] = 0;
    this.length += this.bytes.write(line, this.length, "latin1");
  }

  keep(folder: string, digest: string): void {
    if (this.count === 0 || this.count > listMax) return;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const name = join(folder, nameOf(digest));
    const temporary = `${name}.${newId().slice(0, 12)}`;
    const packed = Bun.zstdCompressSync(this.bytes.subarray(0, this.length), { level: 1 });
    writeFileSync(temporary, packed, { mode: 0o600 });
    renameSync(temporary, name);
  }
}

/** Path and what is known of it, in the order of the walk; undefined where no such list is kept. */
export function readList(folder: string, digest: string): Iterable<[string, string]> | undefined {
  const name = join(folder, nameOf(digest));
  try {
    return entriesOf(Buffer.from(Bun.zstdDecompressSync(readFileSync(name))));
  } catch (error) {
    // it only explains: what a power cut damaged goes, and no build fails for it
    if ((error as { code?: unknown }).code !== "ENOENT") rmSync(name, { force: true });
    return undefined;
  }
}

function* entriesOf(list: Buffer): Generator<[string, string]> {
  for (let at = 0; at < list.length; ) {
    const zero = list.indexOf(0, at);
    const end = zero < 0 ? list.length : zero;
    const line = list.toString("latin1", at, end);
    const middle = line.lastIndexOf("\n");
    yield [line.slice(0, middle), line.slice(middle + 1)];
    at = end + 1;
  }
}
