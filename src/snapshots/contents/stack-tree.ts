import { EngineError } from "../../lib/errors.ts";
import type { TarEntry } from "../../lib/tar/entry.ts";
import { opaqueMarker, whiteoutPrefix } from "../drivers/form.ts";
import { baseOf, parentOf, pathWithin } from "../unpack/names.ts";
import { layerEntries } from "./entries.ts";

/** A name as stacked layers show it. */
export interface Node {
  /** undefined: a directory that only the paths below it tell of */
  entry: TarEntry | undefined;
  /** index of the layer that says so */
  layer: number;
  /** of a directory */
  children: Map<string, Node> | undefined;
  /** where a hard link's content is told: the entry of the same layer it leads to */
  linked?: { path: string; entry: TarEntry };
  /** nothing of what lies below the first layer of the tree shows here */
  opaque: boolean;
  /** the name is gone, also below the first layer of the tree */
  gone: boolean;
}

/** Told of each entry what it does to the layers below. Paths are byte strings without a leading slash. */
interface StackObserver {
  added?(path: string, node: Node): void;
  changed?(path: string, node: Node, before: Node): void;
  hidden?(path: string, before: Node, layer: number): void;
}

const nodesMax = 3_000_000;
const linksMax = 40;

/**
 * Layers laid over each other by what their records say, lowest first. Takes memory by the number of names, none by
 * the size of files.
 */
export class StackTree {
  readonly root: Node = directory(0);
  private nodes = 0;

  add(folder: string, layer: number, observer: StackObserver = {}): void {
    for (const entry of layerEntries(folder)) this.entry(entry, layer, observer);
  }

  /** The node at a path; undefined where nothing shows. */
  get(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    if (path !== "") for (const part of path.split("/")) node = node?.children?.get(part);
    return node?.gone ? undefined : node;
  }

  private entry(entry: TarEntry, layer: number, observer: StackObserver): void {
    if (++this.nodes > nodesMax)
      throw new EngineError("tooLarge", `the image has more than ${nodesMax} names, too many to lay out`);
    const path = pathWithin(entry.name);
    if (path === "") return;
    const { parent, real } = this.parentAt(parentOf(path), layer);
    const base = baseOf(path);
    const full = real === "" ? base : `${real}/${base}`;
    if (base === opaqueMarker) this.empty(parent, real, layer, observer);
    else if (base.startsWith(whiteoutPrefix)) {
      const name = base.slice(whiteoutPrefix.length);
      if (!name.startsWith(whiteoutPrefix)) this.hide(parent, name, layer, { real, observer });
    } else this.put(parent, base, { entry, layer, full, observer });
  }

  private put(
    parent: Node,
    base: string,
    {
      entry,
      layer,
      full,
      observer,
    }: { entry: TarEntry; layer: number; full: string; observer: StackObserver },
  ): void {
    const before = parent.children?.get(base);
    const shows = before !== undefined && !before.gone;
    const isDirectory = entry.type === "directory";
    const merges = isDirectory && shows && before.children !== undefined;
    const node: Node = {
      entry,
      layer,
      children: merges ? before.children : isDirectory ? new Map() : undefined,
      opaque: merges
        ? before.opaque
        : isDirectory && (before?.gone === true || (before?.children === undefined && shows)),
      gone: false,
    };
    if (entry.type === "hardlink") this.link(node, entry, layer);
    parent.children?.set(base, node);
    if (!shows) observer.added?.(full, node);
    else if (before.layer !== layer) observer.changed?.(full, node, before);
  }

  private link(node: Node, entry: TarEntry, layer: number): void {
    const path = pathWithin(entry.linkName);
    const target = this.get(path);
    if (target === undefined || target.layer !== layer || target.entry === undefined) return;
    node.linked = target.linked ?? { path, entry: target.entry };
  }

  private hide(
    parent: Node,
    name: string,
    layer: number,
    { real, observer }: { real: string; observer: StackObserver },
  ): void {
    const before = parent.children?.get(name);
    if (before !== undefined && !before.gone && before.layer === layer && before.entry !== undefined) {
      // a whiteout of what the same layer has concerns only the layers below
      if (before.children !== undefined)
        this.empty(before, real === "" ? name : `${real}/${name}`, layer, observer);
      return;
    }
    if (before !== undefined && !before.gone)
      observer.hidden?.(real === "" ? name : `${real}/${name}`, before, layer);
    parent.children?.set(name, { entry: undefined, layer, children: undefined, opaque: false, gone: true });
  }

  private empty(node: Node, real: string, layer: number, observer: StackObserver): void {
    node.opaque = true;
    for (const [name, child] of node.children ?? []) {
      if (child.layer === layer) continue;
      node.children?.delete(name);
      if (!child.gone) observer.hidden?.(real === "" ? name : `${real}/${name}`, child, layer);
    }
  }

  /** The directory a path leads to: symlinks of the same layer are followed, as unpacking it alone does. */
  private parentAt(path: string, layer: number): { parent: Node; real: string } {
    let node = this.root;
    let real = "";
    const parts = path === "" ? [] : path.split("/");
    for (let hops = 0; parts.length > 0; ) {
      const part = parts.shift() ?? "";
      const next = node.children?.get(part);
      const at = real === "" ? part : `${real}/${part}`;
      if (next?.entry?.type === "symlink" && next.layer === layer && ++hops < linksMax) {
        parts.unshift(
          ...pathWithin(join(real, next.entry.linkName))
            .split("/")
            .filter((each) => each !== ""),
        );
        node = this.root;
        real = "";
      } else {
        node = next?.children === undefined || next.gone ? this.implied(node, part, layer, next) : next;
        real = at;
      }
    }
    return { parent: node, real };
  }

  private implied(parent: Node, name: string, layer: number, before: Node | undefined): Node {
    const node = directory(layer);
    node.opaque = before !== undefined;
    parent.children?.set(name, node);
    return node;
  }
}

const directory = (layer: number): Node => ({
  entry: undefined,
  layer,
  children: new Map(),
  opaque: false,
  gone: false,
});

const join = (folder: string, target: string): string =>
  target.startsWith("/") ? target : `${folder}/${target}`;

/** Bytes of a file, or of all files below a directory. */
export function bytesOf(node: Node): number {
  let bytes = node.entry?.size ?? 0;
  for (const child of node.children?.values() ?? []) if (!child.gone) bytes += bytesOf(child);
  return bytes;
}
