import { EngineError } from "../../lib/errors.ts";
import { decode } from "../../lib/protobuf/decode.ts";
import { encode } from "../../lib/protobuf/encode.ts";
import {
  close,
  cwdFd,
  type FileStatus,
  fileType,
  flags,
  listNames,
  must,
  openRaw,
  openWithinRaw,
  readAtRaw,
  readLink,
  resolve,
  statAt,
  toBytes,
  toText,
} from "../../system/files/at.ts";
import { packet, packetType } from "../messages/session.ts";
import { toGoMode } from "./go-mode.ts";

const pieceSize = 256 * 1024;
/** packets of one batch, bytes about */
const batchSize = 1024 * 1024;
/** how many files a receiver may have asked for and not got */
const requestLimit = 4_000_000;

/**
 * The sending side of fsutil's protocol over a folder of this machine, as values: `next` gives packets to send while there
 * are any, `feed` takes the receiver's. All calls block: for a worker thread.
 */
export class Sender {
  private readonly root: number;
  private readonly prefix: string;
  private readonly walk: Generator<Uint8Array, undefined>;
  private walking = true;
  /** id → path of files that may be asked for */
  private readonly files = new Map<number, string>();
  private readonly wanted: number[] = [];
  private sending: { id: number; fd: number; at: number } | undefined;
  private count = 0;
  private readonly buffer = Buffer.alloc(pieceSize);
  /** the receiver has all it wants */
  finished = false;

  /** `prefix` is "" or "name/": a folder that all paths are told in. */
  constructor(root: string, prefix: string) {
    this.prefix = toBytes(prefix);
    const flag = flags.path | flags.directory | flags.noFollow;
    this.root = must(openRaw(cwdFd, toBytes(root), flag), () => `open ${root}`);
    this.walk = this.list();
  }

  /** The next packets; empty while only the receiver can go on. */
  next(): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (let size = 0; size < batchSize; ) {
      const message = this.nextPacket();
      if (!message) break;
      out.push(message);
      size += message.length;
    }
    return out;
  }

  feed(messages: readonly Uint8Array[]): void {
    for (const message of messages) {
      const { type, id, data } = decode(packet, message);
      if (type === packetType.error)
        throw new EngineError("invalid", `error from receiver: ${new TextDecoder().decode(data)}`);
      if (type === packetType.finish) this.finished = true;
      else if (type === packetType.request && this.files.has(id) && this.wanted.length < requestLimit)
        this.wanted.push(id);
      else throw new EngineError("invalid", `invalid file id ${id}`);
    }
  }

  close(): void {
    if (this.sending) close(this.sending.fd);
    this.sending = undefined;
    close(this.root);
  }

  private nextPacket(): Uint8Array | undefined {
    if (this.walking) {
      const { value } = this.walk.next();
      if (value) return value;
      this.walking = false;
      return encode(packet, { type: packetType.stat });
    }
    return this.nextData();
  }

  private nextData(): Uint8Array | undefined {
    if (!this.sending) {
      const id = this.wanted.shift();
      if (id === undefined) return undefined;
      const path = this.files.get(id) ?? "";
      this.files.delete(id);
      const fd = openWithinRaw(
        this.root,
        path,
        flags.readOnly | flags.noFollow | flags.nonBlock,
        resolve.beneath,
      );
      this.sending = { id, fd: must(fd, () => `open ${toText(path)}`), at: 0 };
    }
    const { id, fd, at } = this.sending;
    const length = must(readAtRaw(fd, this.buffer, at), () => "read");
    this.sending.at += length;
    if (length === 0) {
      close(fd);
      this.sending = undefined;
    }
    return encode(packet, { type: packetType.data, id, data: this.buffer.subarray(0, length) });
  }

  private *list(): Generator<Uint8Array, undefined> {
    if (this.prefix !== "") {
      this.count++;
      const path = Buffer.from(this.prefix.replace(/\/+$/, ""), "latin1");
      yield encode(packet, {
        type: packetType.stat,
        stat: { path, mode: toGoMode(fileType.directory | 0o755) },
      });
    }
    yield* this.listFolder("", new Map());
    return undefined;
  }

  private *listFolder(folder: string, firstOf: Map<bigint, string>): Generator<Uint8Array, undefined> {
    const flag = flags.readOnly | flags.directory | flags.noFollow;
    const fd = must(
      openWithinRaw(this.root, folder || ".", flag, resolve.beneath),
      () => `open ${toText(folder)}`,
    );
    try {
      for (const name of listNames(fd)) {
        const path = folder === "" ? name : `${folder}/${name}`;
        const status = statAt(fd, name);
        if (!status || (status.mode & fileType.mask) === fileType.socket) continue;
        yield this.statPacket(fd, name, path, status, firstOf);
        if ((status.mode & fileType.mask) === fileType.directory) yield* this.listFolder(path, firstOf);
      }
    } finally {
      close(fd);
    }
    return undefined;
  }

  private statPacket(
    fd: number,
    name: string,
    path: string,
    status: FileStatus,
    firstOf: Map<bigint, string>,
  ): Uint8Array {
    const type = status.mode & fileType.mask;
    const id = this.count++;
    let link = type === fileType.symlink ? readLink(fd, name) : "";
    if (type === fileType.file && status.links > 1) {
      link = firstOf.get(status.inode) ?? "";
      if (link === "") firstOf.set(status.inode, this.prefix + path);
    }
    if (type === fileType.file && link === "") this.files.set(id, path);
    return encode(packet, {
      type: packetType.stat,
      stat: {
        path: Buffer.from(this.prefix + path, "latin1"),
        mode: toGoMode(status.mode),
        uid: status.uid,
        gid: status.gid,
        size: type === fileType.file ? status.size : 0,
        modTime: BigInt(status.mtime.s) * 1_000_000_000n + BigInt(status.mtime.ns),
        linkname: Buffer.from(link, "latin1"),
        devmajor: status.deviceMajor,
        devminor: status.deviceMinor,
      },
    });
  }
}
