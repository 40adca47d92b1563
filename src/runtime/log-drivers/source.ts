import type { LogMessage } from "../../lib/log-codecs/message.ts";
import { isRotated, type LogFile, openLogs, openNext } from "../logs/files.ts";
import { MessageAssembler } from "./assembler.ts";
import type { LogPosition } from "./position.ts";

/** read and handed on at once: over the longest line of conmon's, and about a millisecond of the main thread */
const chunkSize = 32 * 1024;

/** Reads a container's log once, from a position on, through rotations. */
export class LogReader {
  private readonly logPath: string;
  private file: LogFile | undefined;
  private offset = 0;
  private assembler = new MessageAssembler();
  private readonly chunk = Buffer.allocUnsafeSlow(chunkSize);

  constructor(logPath: string) {
    this.logPath = logPath;
  }

  /** inode of the file that is read now */
  get inode(): bigint | undefined {
    return this.file?.inode;
  }

  get position(): LogPosition | undefined {
    if (!this.file) return undefined;
    return { inode: String(this.file.inode), offset: this.offset, begun: this.assembler.state };
  }

  /** Goes to a position; where its file is gone, and with undefined, to the oldest line there is. */
  async seek(position: LogPosition | undefined): Promise<void> {
    await this.close();
    const files = await openLogs(this.logPath);
    const wanted = position === undefined ? undefined : BigInt(position.inode);
    const found = files.find(({ inode }) => inode === wanted);
    this.file = found ?? files[0];
    await Promise.all(files.filter((file) => file !== this.file).map(({ handle }) => handle.close()));
    // a shorter file was cleared: what is in it now is new
    this.offset = found && position && position.offset <= found.size ? position.offset : 0;
    this.assembler = new MessageAssembler(position?.begun);
  }

  /** The next messages, at most one chunk of them; undefined while there are none. Valid until the next call. */
  async read(): Promise<LogMessage[] | undefined> {
    for (;;) {
      this.file ??= await openNext(this.logPath, -1n);
      if (!this.file) return undefined;
      const rotated = await isRotated(this.logPath, this.file); // asked first: then the end that is met is final
      const messages = await this.readChunk(this.file);
      if (messages) return messages;
      if (!rotated) return undefined;
      const next = await openNext(this.logPath, this.file.inode);
      if (!next) return undefined;
      await this.file.handle.close();
      this.file = next;
      this.offset = 0;
    }
  }

  /** What the process never ended, once it has ended itself. */
  end(): LogMessage[] {
    return this.assembler.end();
  }

  async close(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await file?.handle.close();
  }

  private async readChunk(file: LogFile): Promise<LogMessage[] | undefined> {
    const { bytesRead } = await file.handle.read(this.chunk, 0, chunkSize, this.offset);
    if (bytesRead === 0) {
      const { size } = await file.handle.stat();
      if (size < this.offset) this.offset = 0; // the log was cleared
      return undefined;
    }
    const { messages, taken } = this.assembler.push(this.chunk.subarray(0, bytesRead));
    // conmon's lines are shorter than a chunk: one that is not is no line of its
    this.offset += taken === 0 && bytesRead === chunkSize ? bytesRead : taken;
    return taken === 0 && bytesRead < chunkSize ? undefined : messages;
  }
}
