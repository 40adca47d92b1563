import { EngineError } from "../../lib/errors.ts";
import { fileType, toBytes } from "../../system/files/at.ts";
import { type Entry, typeOf } from "./entry.ts";
import type { Tree, TreeFile } from "./tree.ts";

/** All files together, bytes: it is for Dockerfiles and ignore files. */
const sizeLimit = 32 * 1024 * 1024;
const linksFollowed = 40;

/** A few small files in memory. */
export class MemoryTree implements Tree {
  private readonly files = new Map<string, Uint8Array>();
  private readonly links = new Map<string, string>();
  private readonly folders = new Set<string>();
  private size = 0;

  makeDirectory({ path }: Entry): void {
    this.folders.add(path);
  }

  isFolder(path: string): boolean {
    return this.folders.has(clean(toBytes(path).split("/")).join("/"));
  }

  changeDirectory(): void {
    return;
  }

  setDirectoryTime(): void {
    return;
  }

  makeNode(entry: Entry): void {
    if (typeOf(entry) === fileType.symlink) this.links.set(entry.path, entry.link);
  }

  makeHardLink(entry: Entry): void {
    this.files.set(entry.path, this.files.get(entry.link) ?? new Uint8Array());
  }

  createFile(entry: Entry): TreeFile {
    const parts: Uint8Array[] = [];
    return {
      write: (bytes) => {
        this.size += bytes.length;
        if (this.size > sizeLimit)
          throw new EngineError("tooLarge", `the Dockerfile and its ignore file are over ${sizeLimit} bytes`);
        parts.push(bytes.slice());
      },
      finish: () => void this.files.set(entry.path, Buffer.concat(parts)),
      abandon: () => undefined,
    };
  }

  remove(path: string): void {
    this.files.delete(path);
    this.links.delete(path);
  }

  /** The bytes at a path, through links that stay below the root; undefined where there is no file. */
  read(path: string): Uint8Array | undefined {
    let rest = clean(toBytes(path).split("/"));
    let at: string[] = [];
    for (let followed = 0; rest.length > 0; ) {
      const [name = "", ...after] = rest;
      const link = this.links.get([...at, name].join("/"));
      if (link === undefined) {
        at.push(name);
        rest = after;
        continue;
      }
      if (++followed > linksFollowed) return undefined;
      rest = clean([...(link.startsWith("/") ? [] : at), ...link.split("/"), ...after]);
      at = [];
    }
    return this.files.get(at.join("/"));
  }
}

/** Without empty names and `.`; `..` goes up, at most to the root. */
function clean(names: string[]): string[] {
  const kept: string[] = [];
  for (const name of names) {
    if (name === "..") kept.pop();
    else if (name !== "" && name !== ".") kept.push(name);
  }
  return kept;
}
