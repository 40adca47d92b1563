/** What an image holds, from the archive that `docker save` writes: every file as the layers leave it, and the configuration. */
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import type { TarEntry } from "../../src/lib/tar/entry.ts";
import { TarReader } from "../../src/lib/tar/reader.ts";
import type { ImageConfig } from "../../src/types/oci.ts";

export interface ImageFile {
  type: TarEntry["type"];
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** of its content */
  digest: string;
  link: string;
  device: string;
  xattrs: string;
  /** seconds */
  mtime: number;
  /** of its layer, 0 being the lowest */
  layer: number;
  /** names that are the same file, itself among them */
  names: Set<string>;
}

export interface ImageContents {
  config: ImageConfig;
  files: Map<string, ImageFile>;
}

/** Of an archive that was unpacked into `folder`. */
export async function imageContents(folder: string): Promise<ImageContents> {
  const [manifest] = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as [
    { Config: string; Layers: string[] },
  ];
  const files = new Map<string, ImageFile>();
  for (const [index, layer] of manifest.Layers.entries()) await apply(join(folder, layer), index, files);
  return { config: JSON.parse(await readFile(join(folder, manifest.Config), "utf8")), files };
}

async function apply(file: string, layer: number, files: Map<string, ImageFile>): Promise<void> {
  const own = new Map<string, ImageFile>();
  const gone: string[] = [];
  const opaque: string[] = [];
  let hasher = new Bun.CryptoHasher("sha256");
  let current: ImageFile | undefined;
  const reader = new TarReader({
    entry(entry) {
      const path = posix.join("/", entry.name).replace(/(.)\/$/, "$1");
      const [parent, name] = [posix.dirname(path), posix.basename(path)];
      current = undefined;
      if (name === ".wh..wh..opq") opaque.push(parent);
      else if (
        name.startsWith(".wh.") &&
        entry.size === 0 &&
        entry.type !== "directory" &&
        !name.startsWith(".wh-")
      )
        gone.push(posix.join(parent, name.slice(4)));
      else current = add(own, path, entry, layer);
    },
    data(bytes) {
      hasher.update(bytes);
    },
    end() {
      if (current !== undefined && current.type === "file") current.digest = hasher.digest("hex");
      hasher = new Bun.CryptoHasher("sha256");
    },
  });
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) reader.push(piece as Buffer);
  reader.finish();
  for (const path of gone) removeTree(files, path, true);
  for (const path of opaque) removeTree(files, path, false);
  for (const [path, entry] of own) {
    const before = files.get(path);
    if (before?.type === "directory" && entry.type !== "directory") removeTree(files, path, true);
    before?.names.delete(path);
    files.set(path, entry);
  }
}

function add(
  own: Map<string, ImageFile>,
  path: string,
  entry: TarEntry,
  layer: number,
): ImageFile | undefined {
  if (entry.type === "hardlink") {
    const target = own.get(posix.join("/", entry.linkName));
    if (target === undefined)
      throw new Error(`${path} is a link to ${entry.linkName}, which its layer lacks`);
    target.names.add(path);
    own.set(path, target);
    return undefined;
  }
  const { type, mode, uid, gid, size, linkName, deviceMajor, deviceMinor, xattrs, mtime } = entry;
  const device = type === "char" || type === "block" ? `${deviceMajor}:${deviceMinor}` : "";
  const file: ImageFile = {
    type,
    mode,
    uid,
    gid,
    size,
    digest: "",
    link: linkName,
    device,
    xattrs: JSON.stringify([...xattrs].sort()),
    mtime: mtime.s,
    layer,
    names: new Set([path]),
  };
  own.set(path, file);
  return file;
}

function removeTree(files: Map<string, ImageFile>, path: string, itself: boolean): void {
  for (const [name, file] of files)
    if ((itself && name === path) || name.startsWith(`${path === "/" ? "" : path}/`)) {
      file.names.delete(name);
      files.delete(name);
    }
}
