import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EngineError, messageOf } from "../../lib/errors.ts";
import {
  close,
  cwdFd,
  ENOENT,
  flags,
  must,
  openRaw,
  openWithinRaw,
  resolve,
  toBytes,
  toText,
} from "../../system/files/at.ts";
import {
  type Replacement,
  readFull,
  readRecord,
  recordFile,
  replacedFile,
  replacedFolder,
} from "../record.ts";

const chunk = 512 * 1024;
const diffFolder = "diff";
const plainly = resolve.noMagicLinks | resolve.noSymlinks | resolve.beneath;

export interface TarSource {
  /** of the layer */
  folder: string;
  diffId: string;
  /** CRC-32 of the tar, which is checked in place of its digest; -1 = not known */
  checksum: number;
}

/** The tar a layer was unpacked from; throws at its end where it is not what it was, for then the layer is damaged. */
export function* layerTar(source: TarSource): Generator<Uint8Array> {
  const tar = new LayerTar(source);
  try {
    for (let length = chunk; length === chunk; ) {
      // a memory of its own: the reader may give it away
      const bytes = Buffer.allocUnsafeSlow(chunk);
      length = tar.fill(bytes);
      if (length > 0) yield bytes.subarray(0, length);
    }
  } finally {
    tar.close();
  }
}

/** The same, read into memory of the reader's. */
export class LayerTar {
  private readonly source: TarSource;
  private readonly parts: Generator<Part>;
  private readonly hash: Bun.CryptoHasher | undefined;
  private checksum = 0;
  private part: Part | undefined;
  /** bytes of the part that were read */
  private done = 0;

  constructor(source: TarSource) {
    this.source = source;
    this.hash = source.checksum < 0 ? new Bun.CryptoHasher("sha256") : undefined;
    this.parts = rebuild(source.folder);
  }

  /** The next bytes, from the memory's beginning on; less than fit only at the end. Throws there where it is damaged. */
  fill(memory: Buffer): number {
    const length = this.read(memory);
    const bytes = memory.subarray(0, length);
    if (this.hash) this.hash.update(bytes);
    else this.checksum = Bun.hash.crc32(bytes, this.checksum);
    if (length < memory.length) this.check();
    return length;
  }

  close(): void {
    this.parts.return(undefined);
  }

  /** Where a file or the record cannot be read, the layer is not what it was: its name is what can be done about it. */
  private read(memory: Buffer): number {
    try {
      return this.rebuilt(memory);
    } catch (error) {
      throw damaged(this.source.diffId, messageOf(error), error);
    }
  }

  private rebuilt(memory: Buffer): number {
    let length = 0;
    while (length < memory.length) {
      if (this.part === undefined || this.done === this.part.length) {
        const next = this.parts.next();
        if (next.done) break;
        this.part = next.value;
        this.done = 0;
      }
      const count = Math.min(memory.length - length, this.part.length - this.done);
      read(this.part, this.done, memory.subarray(length, length + count));
      this.done += count;
      length += count;
    }
    return length;
  }

  private check(): void {
    const { diffId, checksum } = this.source;
    const digest = this.hash && `sha256:${this.hash.digest("hex")}`;
    if (digest === undefined ? this.checksum === checksum : digest === diffId) return;
    const found = digest ?? `one with the CRC-32 ${this.checksum.toString(16)}, not ${checksum.toString(16)}`;
    throw damaged(diffId, `its tar is now ${found}`);
  }
}

const damaged = (diffId: string, reason: string, cause?: unknown): EngineError =>
  new EngineError("internal", `layer ${diffId} is damaged: ${reason}`, { cause });

/** A run of the tar: bytes of the record, or of a file. */
type Part =
  | { length: number; bytes: Buffer; fd?: undefined }
  | { length: number; fd: number; offset: number; path: string };

function read(part: Part, from: number, into: Buffer): void {
  if (part.fd === undefined) part.bytes.copy(into, 0, from, from + into.length);
  else if (readFull(part.fd, into, part.offset + from) < into.length)
    throw new EngineError("internal", `${toText(part.path)} is shorter than it was`);
}

/** Byte for byte, from the record and the files. `folder` holds `diff` and both. A part is good until the next. */
function* rebuild(folder: string): Generator<Part> {
  const replacements = readReplacements(folder);
  // each opened by itself: a path below may be as long as paths can be
  const roots = [diffFolder, replacedFolder].map((name) =>
    openRaw(cwdFd, toBytes(join(folder, name)), flags.readOnly | flags.directory),
  );
  const [diff = ENOENT, replaced = ENOENT] = roots;
  let files = 0;
  try {
    must(diff, () => `open layer ${folder}`);
    for (const frame of readRecord(join(folder, recordFile))) {
      if (frame.path === undefined) {
        yield { length: frame.bytes.length, bytes: frame.bytes };
        continue;
      }
      files++;
      const place = locate(frame.path, files, replacements);
      yield* content(place.replaced ? replaced : diff, place.path, frame.offset, frame.length);
    }
  } finally {
    for (const fd of roots) if (fd >= 0) close(fd);
  }
}

function readReplacements(folder: string): Replacement[] {
  try {
    return JSON.parse(readFileSync(join(folder, replacedFile), "utf8")) as Replacement[];
  } catch (error) {
    // most layers replace nothing
    if ((error as { code?: unknown }).code === "ENOENT") return [];
    throw error;
  }
}

/** Where the content of the `count`th file frame lies now: the first later replacement of its name took it. */
function locate(path: string, count: number, replacements: readonly Replacement[]): Place {
  const taken = replacements.find(
    ({ before, path: replaced }) => before >= count && (path === replaced || path.startsWith(`${replaced}/`)),
  );
  if (taken === undefined) return { path, replaced: false };
  return { path: `${taken.number}${path.slice(taken.path.length)}`, replaced: true };
}

/** A path below `diff` or below what was replaced. */
interface Place {
  path: string;
  replaced: boolean;
}

function* content(root: number, path: string, offset: number, length: number): Generator<Part> {
  const fd = must(
    openWithinRaw(root, path, flags.readOnly | flags.nonBlock, plainly),
    () => `open ${toText(path)}`,
  );
  try {
    yield { length, fd, offset, path };
  } finally {
    close(fd);
  }
}
