import { connect as connectNet, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { StreamAddress } from "./addresses.ts";

export interface TlsOptions {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  rejectUnauthorized: boolean;
}

const connectTimeoutMs = 10_000;
/** a service that takes nothing for this long is given up and connected to anew */
const writeTimeoutMs = 60_000;

/** A connection that is made again by `open` when it broke. */
export class StreamConnection {
  brokenAt: number | undefined;
  private readonly address: StreamAddress;
  private readonly tls: (() => Promise<TlsOptions>) | undefined;
  private readonly received: (bytes: Buffer) => void;
  private socket: Socket | undefined;
  private dialing: Socket | undefined;
  /** a write is under way: letting go then means to cut it off */
  private writing = false;

  constructor(
    address: StreamAddress,
    options: { tls?: () => Promise<TlsOptions>; received?: (bytes: Buffer) => void } = {},
  ) {
    this.address = address;
    this.tls = options.tls;
    this.received = options.received ?? (() => undefined);
  }

  async open(): Promise<void> {
    if (this.connected) return;
    this.close();
    const tls = this.address.protocol === "tls" ? await this.tls?.() : undefined;
    const { address } = this;
    // known before it is dialled: node's own sentence for it says less
    if (address.protocol !== "unix" && !(address.port <= 65535))
      throw new Error(`dial tcp: address ${address.port}: invalid port`);
    const socket = this.dial(tls);
    this.dialing = socket;
    const connected = this.address.protocol === "tls" ? "secureConnect" : "connect";
    let timer: Timer | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (why: string): void => reject(new Error(`dial ${this.name}: ${why}`));
        timer = setTimeout(() => fail("i/o timeout"), connectTimeoutMs);
        socket.once(connected, () => resolve());
        socket.once("error", (error) => fail(reason(error)));
        socket.once("close", () => fail("connection closed"));
      });
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
      this.dialing = undefined;
    }
    this.brokenAt = undefined;
    this.socket = socket;
    const broken = (): void => {
      if (this.socket === socket) this.brokenAt ??= performance.now();
    };
    socket.on("error", broken);
    socket.on("end", broken);
    socket.on("close", broken);
    socket.on("data", this.received);
    if (socket.destroyed) broken();
    socket.unref();
  }

  /** Resolves when the kernel has taken the bytes. */
  async write(bytes: Buffer): Promise<void> {
    const { socket } = this;
    if (!socket || !this.connected) throw new Error(`write ${this.name}: broken pipe`);
    this.writing = true;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer);
        socket.off("close", closed);
        this.brokenAt ??= performance.now();
        reject(new Error(`write ${this.name}: ${why}`));
      };
      const closed = (): void => fail("broken pipe");
      const timer = setTimeout(() => fail("i/o timeout"), writeTimeoutMs);
      socket.once("close", closed);
      socket.write(bytes, (error) => {
        if (error) {
          fail(reason(error));
          return;
        }
        clearTimeout(timer);
        socket.off("close", closed);
        resolve();
      });
    }).finally(() => {
      this.writing = false;
    });
  }

  get connected(): boolean {
    return this.socket !== undefined && this.brokenAt === undefined;
  }

  /** Lets go; what was written is still delivered. */
  close(): void {
    const { socket } = this;
    this.dialing?.destroy();
    if (this.connected && !this.writing) socket?.end();
    else socket?.destroy();
    this.socket = undefined;
    this.brokenAt = undefined;
  }

  private dial(tls: TlsOptions | undefined): Socket {
    const { address } = this;
    if (address.protocol === "unix") return connectNet({ path: address.path });
    const { host, port } = address;
    if (address.protocol === "tls") return connectTls({ host, port, servername: host, ...tls });
    return connectNet({ host, port });
  }

  private get name(): string {
    const { address } = this;
    return address.protocol === "unix" ? `unix ${address.path}` : `tcp ${address.host}:${address.port}`;
  }
}

/** Go's words for the commonest. */
export function reason(error: Error & { code?: string; syscall?: string }): string {
  const known: Record<string, string> = {
    ECONNREFUSED: "connect: connection refused",
    ENOENT: "connect: no such file or directory",
    EPIPE: "broken pipe",
    ECONNRESET: "connection reset by peer",
  };
  return known[error.code ?? ""] ?? error.message;
}
