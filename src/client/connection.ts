/** A byte stream in both directions, as every way of reaching an engine offers it. */
export interface Connection {
  /** The next bytes; `undefined` once the other side has closed its half. Rejects if the connection broke. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when the bytes are handed to the kernel: awaiting it is back pressure. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Closes our half: the other side reads an end, and may go on writing. */
  closeWrite(): void;
  close(): void;
}

/** Bytes received but not read yet; above this the socket is paused. */
const queueLimitBytes = 4 << 20;

export type SocketTarget =
  | { unix: string }
  | { hostname: string; port: number; tls?: Record<string, unknown> };

/** One connection over a unix or TCP socket (with TLS where the target says so). */
export class SocketConnection implements Connection {
  private readonly queue: Uint8Array[] = [];
  private queuedBytes = 0;
  private paused = false;
  private ended = false;
  private failure: Error | undefined;
  private wakeReader: (() => void) | undefined;
  private wakeWriter: (() => void) | undefined;
  private socket: Bun.Socket<undefined> | undefined;

  static async open(target: SocketTarget): Promise<SocketConnection> {
    const connection = new SocketConnection();
    const handlers: Bun.SocketHandler<undefined> = {
      binaryType: "uint8array",
      data: (_socket, chunk: Uint8Array) => connection.take(chunk),
      end: () => connection.finish(),
      close: (_socket, error) => connection.finish(error as Error | undefined),
      error: (_socket, error) => connection.finish(error),
      drain: () => connection.drained(),
    };
    const options = { ...target, allowHalfOpen: true, socket: handlers };
    connection.socket = (await Bun.connect(
      options as Parameters<typeof Bun.connect>[0],
    )) as Bun.Socket<undefined>;
    return connection;
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.queue.shift();
      if (chunk) return this.give(chunk);
      if (this.failure) throw this.failure;
      if (this.ended) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wakeReader = resolve;
      await promise;
    }
  }

  async write(bytes: Uint8Array | string): Promise<void> {
    let rest = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    while (rest.length > 0) {
      const sent = this.socket?.write(rest) ?? -1;
      if (sent < 0 || this.failure) throw this.failure ?? new Error("write: broken pipe");
      rest = rest.subarray(sent);
      if (rest.length === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wakeWriter = resolve;
      await promise;
    }
  }

  closeWrite(): void {
    this.socket?.flush();
    this.socket?.shutdown();
  }

  close(): void {
    this.ended = true;
    this.socket?.end();
  }

  private take(chunk: Uint8Array): void {
    this.queue.push(chunk);
    this.queuedBytes += chunk.length;
    if (!this.paused && this.queuedBytes > queueLimitBytes) {
      this.paused = true;
      this.socket?.pause();
    }
    this.wake();
  }

  private give(chunk: Uint8Array): Uint8Array {
    this.queuedBytes -= chunk.length;
    if (this.paused && this.queuedBytes < queueLimitBytes / 2) {
      this.paused = false;
      this.socket?.resume();
    }
    return chunk;
  }

  private finish(error?: Error): void {
    if (error && !this.ended) this.failure = error;
    this.ended = true;
    this.wake();
    this.drained();
  }

  private wake(): void {
    const wake = this.wakeReader;
    this.wakeReader = undefined;
    wake?.();
  }

  private drained(): void {
    const wake = this.wakeWriter;
    this.wakeWriter = undefined;
    wake?.();
  }
}
