import { EngineError, messageOf } from "../../lib/errors.ts";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import type { Decoded } from "../../lib/protobuf/schema.ts";
import { fileType, toText } from "../../system/at.ts";
import { packet, packetType } from "../messages/session.ts";
import { type Entry, entryOf, hasData, isDirectory, parentOf, typeOf, unchanged } from "./entry.ts";
import type { Tree, TreeFile } from "./tree.ts";

/** How many files one transfer may list, and how many a sender may have under way at once (it uses four). */
const entryLimit = 4_000_000;
/** bytes of a listing's packets: names, attributes */
const listingLimit = 512 * 1024 * 1024;
const openLimit = 64;

interface Transfer {
  entry: Entry;
  file: TreeFile | undefined;
  received: number;
}

/**
 * The receiving side of fsutil's protocol, as values: packets in, packets out, and what they mean done to a tree.
 *
 * The sender lists every file in order (STAT, an empty one at the end), numbered from zero; the receiver asks for those
 * whose bytes it wants (REQ), gets them in pieces (DATA, an empty one at each file's end), and says when it has all (FIN,
 * which is answered). Either side ends the transfer with ERR. `kept` is what the tree holds from earlier; what it holds
 * that is not listed goes.
 */
export class Receiver {
  private readonly tree: Tree;
  private readonly kept: Map<string, Entry>;
  private readonly listed = new Map<string, Entry>();
  private readonly transfers = new Map<number, Transfer>();
  private readonly hardLinks: Entry[] = [];
  /** directories whose time is to be set at the end */
  private readonly touched = new Set<string>();
  private count = 0;
  private listingBytes = 0;
  private openFiles = 0;
  private listingEnded = false;
  private finishing = false;
  /** the sender has answered the FIN: nothing more comes */
  finished = false;
  /** bytes of all packets so far */
  bytes = 0;

  constructor(tree: Tree, kept = new Map<string, Entry>()) {
    this.tree = tree;
    this.kept = kept;
  }

  /** What the tree holds, once finished. */
  entries(): IterableIterator<Entry> {
    return this.listed.values();
  }

  /** Takes packets and gives those to send. A failure throws, after which `abandon` is due. */
  feed(messages: readonly Uint8Array[]): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (const message of messages) {
      this.bytes += message.length;
      const decoded = decode(packet, message);
      if (decoded.type === packetType.stat) this.listingBytes += message.length;
      this.take(decoded, out);
    }
    return out;
  }

  /** Lets go of what is open. */
  abandon(): void {
    for (const { file } of this.transfers.values()) file?.abandon();
    this.transfers.clear();
  }

  /** What to tell the sender of a failure. */
  static errorPacket(error: unknown): Uint8Array {
    return encode(packet, { type: packetType.error, data: new TextEncoder().encode(messageOf(error)) });
  }

  private take({ type, stat, id, data }: Decoded<typeof packet>, out: Uint8Array[]): void {
    switch (type) {
      case packetType.stat:
        if (this.listingBytes > listingLimit)
          throw new EngineError("tooLarge", `the client lists its files in over ${listingLimit} bytes`);
        if (stat) this.list(entryOf(stat), out);
        else this.endListing();
        break;
      case packetType.data:
        this.receive(id, data);
        break;
      case packetType.finish:
        this.finished = true;
        return;
      case packetType.error:
        throw new EngineError("invalid", `error from sender: ${new TextDecoder().decode(data)}`);
      default:
        throw new EngineError("invalid", `the client sent a file packet of type ${type}`);
    }
    if (this.listingEnded && this.transfers.size === 0 && !this.finishing) this.finish(out);
  }

  private list(entry: Entry | undefined, out: Uint8Array[]): void {
    const id = this.count++;
    if (this.listingEnded || this.count > entryLimit)
      throw new EngineError("invalid", "the client lists files beyond its listing's end or limit");
    if (!entry) return;
    const { path } = entry;
    const parent = parentOf(path);
    const above = parent === "" ? undefined : this.listed.get(parent);
    if (this.listed.has(path) || (parent !== "" && !(above && isDirectory(above))))
      throw new EngineError("invalid", `changes out of order: ${JSON.stringify(toText(path))}`);
    this.listed.set(path, entry);
    const before = this.kept.get(path);
    if (before && unchanged(before, entry)) return;
    this.touch(parent);
    if (before) this.replace(before, entry);
    if (isDirectory(entry)) {
      this.touched.add(path);
      if (before && isDirectory(before)) this.tree.changeDirectory(entry);
      else this.tree.makeDirectory(entry);
    } else if (hasData(entry)) {
      this.transfers.set(id, { entry, file: undefined, received: 0 });
      out.push(encode(packet, { type: packetType.request, id }));
    } else if (entry.link !== "" && typeOf(entry) === fileType.file) this.hardLinks.push(entry);
    else this.tree.makeNode(entry);
  }

  /** Clears the place of something kept that is now something else. */
  private replace(before: Entry, entry: Entry): void {
    if (isDirectory(before) && isDirectory(entry)) return;
    this.tree.remove(before.path);
    if (!isDirectory(before)) return;
    const below = `${before.path}/`;
    for (const path of this.kept.keys()) if (path.startsWith(below)) this.kept.delete(path);
  }

  private endListing(): void {
    if (this.listingEnded) throw new EngineError("invalid", "the client ends its listing twice");
    this.listingEnded = true;
    for (const { path } of this.kept.values()) {
      if (this.listed.has(path)) continue;
      const parent = parentOf(path);
      this.touch(parent);
      // what is below a directory that goes, goes with it
      if (parent === "" || this.listed.has(parent)) this.tree.remove(path);
    }
  }

  private receive(id: number, data: Uint8Array): void {
    const transfer = this.transfers.get(id);
    if (!transfer) throw new EngineError("invalid", `invalid file request ${id}`);
    if (!transfer.file) {
      if (++this.openFiles > openLimit)
        throw new EngineError("invalid", `the client sends over ${openLimit} files at once`);
      transfer.file = this.tree.createFile(transfer.entry);
    }
    transfer.received += data.length;
    if (data.length > 0) {
      transfer.file.write(data);
      return;
    }
    this.transfers.delete(id);
    this.openFiles--;
    transfer.file.finish();
    // a file that changed while it was read is asked for again next time
    if (transfer.received !== transfer.entry.size) transfer.entry.size = -1;
  }

  private finish(out: Uint8Array[]): void {
    this.finishing = true;
    for (const entry of this.hardLinks) this.hardLink(entry);
    for (const path of this.touched) {
      const entry = this.listed.get(path);
      if (entry) this.tree.setDirectoryTime(entry);
    }
    out.push(encode(packet, { type: packetType.finish }));
  }

  private hardLink(entry: Entry): void {
    const target = this.listed.get(entry.link);
    if (!target || !hasData(target))
      throw new EngineError(
        "invalid",
        `hard link ${toText(entry.path)} has no file of the listing as its target`,
      );
    this.tree.makeHardLink(entry);
  }

  private touch(directory: string): void {
    if (directory !== "") this.touched.add(directory);
  }
}
