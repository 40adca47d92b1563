import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import {
  close,
  cwdFd,
  flags,
  must,
  openRaw,
  openWithinRaw,
  resolve,
  toBytes,
  toText,
} from "../../system/at.ts";
import {
  type Replacement,
  readFull,
  readRecord,
  recordFile,
  replacedFile,
  replacedFolder,
} from "../record.ts";

const chunk = 512 * 1024;
const plainly = resolve.noMagicLinks | resolve.noSymlinks | resolve.beneath;

/** The tar a layer was unpacked from; throws at its end where it is not what it was, for then the layer is damaged. */
export function* layerTar(folder: string, diffId: string): Generator<Uint8Array> {
  const hash = new Bun.CryptoHasher("sha256");
  for (const bytes of rebuild(folder)) {
    hash.update(bytes);
    yield bytes;
  }
  const digest = `sha256:${hash.digest("hex")}`;
  if (digest !== diffId)
    throw new EngineError("internal", `layer ${diffId} is damaged: its tar is now ${digest}`);
}

/** Byte for byte, from the record and the files. `folder` holds `diff` and both. */
function* rebuild(folder: string): Generator<Uint8Array> {
  const replacements = readReplacements(folder);
  const root = must(
    openRaw(cwdFd, toBytes(folder), flags.readOnly | flags.directory),
    () => `open layer ${folder}`,
  );
  let files = 0;
  try {
    for (const frame of readRecord(join(folder, recordFile))) {
      if (frame.path === undefined) {
        yield frame.bytes;
        continue;
      }
      files++;
      yield* content(root, locate(frame.path, files, replacements), frame.offset, frame.length);
    }
  } finally {
    close(root);
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
function locate(path: string, count: number, replacements: readonly Replacement[]): string {
  let at = path;
  let prefix = "diff/";
  for (const { before, path: replaced, number } of replacements) {
    if (before < count || prefix !== "diff/") continue;
    if (at !== replaced && !at.startsWith(`${replaced}/`)) continue;
    at = `${number}${at.slice(replaced.length)}`;
    prefix = `${replacedFolder}/`;
  }
  return prefix + at;
}

function* content(root: number, path: string, offset: number, length: number): Generator<Uint8Array> {
  const fd = must(
    openWithinRaw(root, path, flags.readOnly | flags.nonBlock, plainly),
    () => `open ${toText(path)}`,
  );
  try {
    for (let done = 0; done < length; ) {
      // a memory of its own: the reader may give it away
      const part = Math.min(chunk, length - done);
      const buffer = Buffer.from(new ArrayBuffer(part));
      if (readFull(fd, buffer, offset + done) < part)
        throw new EngineError("internal", `the layer's file ${toText(path)} is shorter than it was`);
      yield buffer;
      done += part;
    }
  } finally {
    close(fd);
  }
}
