import { EngineError } from "../../lib/errors.ts";
import { type TarEntry, utf8 } from "../../lib/tar/entry.ts";
import { TarReader } from "../../lib/tar/reader.ts";

/** One entry of an image archive, told in the archive's order. Its data must be read before the next one is asked for. */
export interface Member {
  /** path below the archive's root, without `./` and slashes at its ends */
  name: string;
  /** path of another member that this one stands for (links); data is then empty */
  linksTo?: string;
  /** bytes of data */
  size: number;
  data: AsyncIterable<Uint8Array>;
}

type Piece = { entry: TarEntry } | { data: Uint8Array } | { end: true };

/** Real archives have a few hundred. */
const membersMax = 100_000;
const nameLengthMax = 4096;

/**
 * Reads the members of an uncompressed tar as it arrives, one pass, nothing kept. Links are only ever resolved by name
 * within the archive; a name that leads out of it is refused, as are devices.
 */
export async function* readMembers(source: AsyncIterable<Uint8Array>): AsyncGenerator<Member> {
  const cursor = new Cursor(source);
  try {
    let count = 0;
    for (let entry = await cursor.nextEntry(); entry; entry = await cursor.nextEntry()) {
      if (++count > membersMax) throw invalid(`the archive has over ${membersMax} entries`);
      const member = describe(entry, cursor.data());
      if (member) yield member;
      await cursor.skip();
    }
  } finally {
    await cursor.close();
  }
}

const invalid = (message: string): EngineError => new EngineError("invalid", message);

function describe(entry: TarEntry, data: AsyncIterable<Uint8Array>): Member | undefined {
  const text = utf8(entry.name);
  const name = cleanPath(text);
  if (name === undefined) throw invalid(`invalid entry name ${JSON.stringify(text)}`);
  if (entry.type === "directory" || name === "") return undefined;
  if (entry.type === "file") {
    if (entry.sparse)
      throw invalid(`entry ${JSON.stringify(name)} is a sparse file, which no image archive holds`);
    return { name, size: entry.size, data };
  }
  if (entry.type !== "symlink" && entry.type !== "hardlink")
    throw invalid(
      `entry ${JSON.stringify(name)} is a ${entry.type} device, which no image archive holds: import takes root file systems`,
    );
  return { name, size: 0, data, linksTo: linkTarget(entry, name) };
}

/** A link's target as a path of the archive. A symlink counts from its own folder; `/` is the archive's root. */
function linkTarget(entry: TarEntry, name: string): string {
  const text = utf8(entry.linkName);
  const folder = name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : "";
  const target = cleanPath(entry.type === "symlink" && !text.startsWith("/") ? `${folder}/${text}` : text);
  if (target === undefined || target === "")
    throw invalid(
      `entry ${JSON.stringify(name)} is a link to ${JSON.stringify(text)}, outside of the archive`,
    );
  return target;
}

/** The path without `.`, `..` and doubled slashes; undefined where it leads above the root. */
export function cleanPath(text: string): string | undefined {
  if (text.length > nameLengthMax || text.includes("\0")) return undefined;
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Turns the tar reader's calls into something that can be waited for, a chunk of the source at a time. */
class Cursor {
  private readonly source: AsyncIterator<Uint8Array>;
  private readonly reader: TarReader;
  private pieces: Piece[] = [];
  private at = 0;
  private inEntry = false;
  private finished = false;
  private filling: Promise<void> | undefined;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = source[Symbol.asyncIterator]();
    this.reader = new TarReader({
      entry: (entry) => void this.pieces.push({ entry }),
      data: (data) => void this.pieces.push({ data }),
      end: () => void this.pieces.push({ end: true }),
    });
  }

  async nextEntry(): Promise<TarEntry | undefined> {
    const piece = await this.next();
    if (piece === undefined || !("entry" in piece)) return undefined;
    this.inEntry = true;
    return piece.entry;
  }

  async *data(): AsyncGenerator<Uint8Array> {
    while (this.inEntry) {
      const piece = await this.next();
      if (piece === undefined || !("data" in piece)) {
        this.inEntry = false;
        return;
      }
      yield piece.data;
    }
  }

  /** Reads on to the end of the entry. */
  async skip(): Promise<void> {
    for await (const _ of this.data());
  }

  async close(): Promise<void> {
    await this.source.return?.();
  }

  private async next(): Promise<Piece | undefined> {
    while (this.at >= this.pieces.length) {
      if (this.finished) return undefined;
      // a reader that was given up may still wait here: both wait for the same chunk
      this.filling ??= this.fill();
      await this.filling;
    }
    return this.pieces[this.at++];
  }

  /** Reads one chunk. A failure stays: whoever reads on is told again. */
  private async fill(): Promise<void> {
    const { value, done } = await this.source.next();
    this.pieces = [];
    this.at = 0;
    if (done) this.reader.finish();
    else this.reader.push(value);
    this.finished = done === true;
    this.filling = undefined;
  }
}
