import { countFile } from "../../build/copy/worker/garbage.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import type { Decoded } from "../../lib/protobuf/schema.ts";
import { fileType, toText } from "../../system/files/at.ts";
import { packet, packetType } from "../messages/session.ts";
import {
  compareOrder,
  type Entry,
  entryOf,
  hasData,
  isDirectory,
  parentOf,
  typeOf,
  unchanged,
} from "./entry.ts";
import { type Row, RowList, type Rows, work } from "./rows.ts";
import type { Tree, TreeFile } from "./tree.ts";

/** How many files one transfer may list, and how many a sender may have under way at once (it uses four). */
const entryLimit = 4_000_000;
/** bytes of a listing's packets: names, attributes */
const listingLimit = 512 * 1024 * 1024;
const openLimit = 64;
/** files that are asked for before the first of them has come */
const askedAtOnce = 1024;

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
 * which is answered). Either side ends the transfer with ERR. `kept` tells what the tree holds from earlier, in the same
 * order; what it holds that is not listed goes. The listing is not held in memory but in `rows`.
 */
export class Receiver {
  private readonly tree: Tree;
  private readonly rows: Rows;
  private readonly kept: () => Entry | undefined;
  /** the first of the kept that the listing has not come to */
  private keptNext: Entry | undefined;
  /** a folder of the kept that is gone, with a slash behind it: what was in it is gone too */
  private removed = "/";
  private readonly wanted: () => Row | undefined;
  private readonly transfers = new Map<number, Transfer>();
  /** the last listed path, and the folders that it is in */
  private last = "";
  private readonly folders: string[] = [];
  private count = 0;
  /** files whose bytes are still to be asked for */
  private unasked = 0;
  private hardLinks = 0;
  private isChanged = false;
  private listingBytes = 0;
  private openFiles = 0;
  private listingEnded = false;
  private finishing = false;
  /** the sender has answered the FIN: nothing more comes */
  finished = false;
  /** bytes of all packets so far */
  bytes = 0;

  constructor(tree: Tree, rows: Rows = new RowList(), kept: () => Entry | undefined = () => undefined) {
    this.tree = tree;
    this.rows = rows;
    this.kept = kept;
    this.keptNext = kept();
    this.wanted = rows.cursor();
  }

  /** Takes packets and gives those to send. A failure throws, after which `abandon` is due. */
  feed(messages: readonly Uint8Array[]): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (const message of messages) {
      this.bytes += message.length;
      const decoded = decode(packet, message);
      if (decoded.type === packetType.stat) this.listingBytes += message.length;
      this.take(decoded);
      const asksMore = this.unasked > 0 && this.transfers.size < askedAtOnce / 2;
      if (asksMore && !this.finished) this.ask(out);
    }
    const isOver = this.listingEnded && this.transfers.size === 0 && this.unasked === 0;
    if (isOver && !this.finishing) this.finish(out);
    return out;
  }

  /** Lets go of what is open. */
  abandon(): void {
    for (const { file } of this.transfers.values()) file?.abandon();
    this.transfers.clear();
  }

  /** How many files the sender has listed so far. */
  get listed(): number {
    return this.count;
  }

  /** What to tell the sender of a failure. */
  static errorPacket(error: unknown): Uint8Array {
    return encode(packet, { type: packetType.error, data: new TextEncoder().encode(messageOf(error)) });
  }

  private take({ type, stat, id, data }: Decoded<typeof packet>): void {
    switch (type) {
      case packetType.stat:
        if (this.listingBytes > listingLimit)
          throw new EngineError("tooLarge", `the client lists its files in over ${listingLimit} bytes`);
        if (stat) this.list(entryOf(stat));
        else this.endListing();
        break;
      case packetType.data:
        this.receive(id, data);
        break;
      case packetType.finish:
        this.finished = true;
        break;
      case packetType.error:
        throw new EngineError("invalid", `error from sender: ${new TextDecoder().decode(data)}`);
      default:
        throw new EngineError("invalid", `the client sent a file packet of type ${type}`);
    }
  }

  private list(entry: Entry | undefined): void {
    countFile();
    const id = this.count++;
    if (this.listingEnded || this.count > entryLimit)
      throw new EngineError("invalid", "the client lists files beyond its listing's end or limit");
    if (!entry) return;
    this.checkOrder(entry);
    const before = this.keptAt(entry.path);
    const left = before && unchanged(before, entry) ? work.none : this.change(before, entry);
    this.rows.add({ entry, id, work: left });
  }

  /** By it the listing is compared with what was kept, and no name comes twice or without its folder. */
  private checkOrder({ path, mode }: Entry): void {
    const parent = parentOf(path);
    const { folders } = this;
    while (folders.length > 0 && folders.at(-1) !== parent) folders.pop();
    const isInOrder = this.last === "" || compareOrder(this.last, path) < 0;
    if (!isInOrder || (parent !== "" && folders.length === 0))
      throw new EngineError("invalid", `changes out of order: ${JSON.stringify(toText(path))}`);
    this.last = path;
    if ((mode & fileType.mask) === fileType.directory) folders.push(path);
  }

  /** What was kept under a path. What is before it in the order, and so was not listed, goes. */
  private keptAt(path: string): Entry | undefined {
    while (this.keptNext !== undefined && compareOrder(this.keptNext.path, path) < 0) {
      this.drop(this.keptNext);
      this.keptNext = this.kept();
    }
    if (this.keptNext?.path !== path) return undefined;
    const found = this.keptNext;
    this.keptNext = this.kept();
    return found.path.startsWith(this.removed) ? undefined : found;
  }

  private drop(entry: Entry): void {
    if (entry.path.startsWith(this.removed)) return;
    this.isChanged = true;
    this.tree.remove(entry.path);
    if (isDirectory(entry)) this.removed = `${entry.path}/`;
  }

  /** Does what can be done before the listing is over; answers what is left. */
  private change(before: Entry | undefined, entry: Entry): Row["work"] {
    this.isChanged = true;
    if (before && !(isDirectory(before) && isDirectory(entry))) this.drop(before);
    if (isDirectory(entry)) {
      if (before && isDirectory(before)) this.tree.changeDirectory(entry);
      else this.tree.makeDirectory(entry);
      return work.none;
    }
    if (hasData(entry)) {
      this.unasked++;
      return work.bytes;
    }
    if (entry.link !== "" && typeOf(entry) === fileType.file) {
      this.hardLinks++;
      return work.hardLink;
    }
    this.tree.makeNode(entry);
    return work.none;
  }

  private endListing(): void {
    if (this.listingEnded) throw new EngineError("invalid", "the client ends its listing twice");
    this.listingEnded = true;
    for (; this.keptNext !== undefined; this.keptNext = this.kept()) this.drop(this.keptNext);
  }

  private ask(out: Uint8Array[]): void {
    while (this.unasked > 0 && this.transfers.size < askedAtOnce) {
      const row = this.wanted();
      if (row === undefined) return;
      if (row.work !== work.bytes) continue;
      this.unasked--;
      this.transfers.set(row.id, { entry: row.entry, file: undefined, received: 0 });
      out.push(encode(packet, { type: packetType.request, id: row.id }));
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
    if (transfer.received !== transfer.entry.size) this.rows.spoil(id);
  }

  private finish(out: Uint8Array[]): void {
    this.finishing = true;
    if (this.hardLinks > 0)
      this.each((row) => {
        if (row.work === work.hardLink) this.tree.makeHardLink(row.entry);
      });
    // nothing in them changes any more
    if (this.isChanged)
      this.each(({ entry }) => {
        if (isDirectory(entry)) this.tree.setDirectoryTime(entry);
      });
    out.push(encode(packet, { type: packetType.finish }));
  }

  private each(use: (row: Row) => void): void {
    const next = this.rows.cursor();
    for (let row = next(); row !== undefined; row = next()) {
      countFile();
      use(row);
    }
  }
}
