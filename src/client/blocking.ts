import type { Connection } from "./connection.ts";
import { closeFile, connectUnix, readSome, write } from "./kernel.ts";

const readBytes = 64 << 10;

/**
 * A connection to a unix socket that holds up the thread while it waits, for commands that have nothing else to do: there
 * an event loop and its socket would take longer to set up than the engine to answer.
 */
export class BlockingConnection implements Connection {
  private fd: number;

  /** Throws a `SystemError` as `connect(2)` does. */
  constructor(path: string) {
    this.fd = connectUnix(path);
  }

  async read(): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(readBytes);
    const length = readSome(this.fd, bytes);
    return length === 0 ? undefined : bytes.subarray(0, length);
  }

  async write(bytes: Uint8Array | string): Promise<void> {
    let rest = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    while (rest.length > 0) rest = rest.subarray(write(this.fd, rest));
  }

  /** What follows a request like this is an answer: nothing ends it but the whole connection. */
  closeWrite(): void {
    throw new Error("a blocking connection has one end");
  }

  close(): void {
    if (this.fd >= 0) closeFile(this.fd);
    this.fd = -1;
  }
}
