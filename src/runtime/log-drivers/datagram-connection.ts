import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { DatagramSocket } from "../../system/sockets/datagram.ts";
import { reason } from "./stream-connection.ts";

/** Something that takes messages whole. */
export interface DatagramConnection {
  open(): Promise<void>;
  send(bytes: Buffer): Promise<void>;
  close(): void;
}

/** UDP: what nobody listens to is lost, as UDP has it. */
export class UdpConnection implements DatagramConnection {
  private readonly host: string;
  private readonly port: number;
  private socket: Socket | undefined;
  private address = "";

  constructor(host: string, port: number) {
    this.host = host;
    this.port = port;
  }

  async open(): Promise<void> {
    if (this.socket) return;
    const { address, family } = await lookup(this.host).catch((error: Error) => {
      throw new Error(`dial udp: lookup ${this.host}: ${error.message}`);
    });
    const socket = createSocket(isIP(address) === 6 || family === 6 ? "udp6" : "udp4");
    socket.on("error", () => this.close());
    socket.unref();
    this.address = address;
    this.socket = socket;
  }

  async send(bytes: Buffer): Promise<void> {
    const { socket } = this;
    if (!socket) throw new Error(`write udp ${this.host}:${this.port}: not connected`);
    await new Promise<void>((resolve, reject) => {
      socket.send(bytes, this.port, this.address, (error) => {
        if (error) reject(new Error(`write udp ${this.host}:${this.port}: ${reason(error)}`));
        else resolve();
      });
    });
  }

  close(): void {
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
  }
}

const patienceMs = 30_000;
const busyMs = 5;

/** A unix datagram socket. A receiver that is behind is waited for. */
export class UnixDatagramConnection implements DatagramConnection {
  private readonly path: string;
  private readonly longAsFile: boolean;
  private socket: DatagramSocket | undefined;

  /** `longAsFile`: what is too long for a datagram goes as a file in memory; else its end is cut off */
  constructor(path: string, options: { longAsFile: boolean }) {
    this.path = path;
    this.longAsFile = options.longAsFile;
  }

  async open(): Promise<void> {
    this.socket ??= DatagramSocket.connect(this.path);
  }

  async send(bytes: Buffer): Promise<void> {
    const { socket } = this;
    if (!socket) throw new Error(`write unixgram ${this.path}: not connected`);
    for (let waited = 0; ; waited += busyMs) {
      const code = this.trySend(socket, bytes);
      if (code === undefined) return;
      if (code !== "EAGAIN" || waited >= patienceMs) {
        this.close();
        throw new Error(`write unixgram ${this.path}: ${code}`);
      }
      await Bun.sleep(busyMs);
      if (this.socket !== socket) throw new Error(`write unixgram ${this.path}: closed`);
    }
  }

  close(): void {
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
  }

  /** The code of what stood in the way. */
  private trySend(socket: DatagramSocket, bytes: Buffer): string | undefined {
    const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);
    try {
      socket.send(bytes);
      return undefined;
    } catch (error) {
      if (codeOf(error) !== "EMSGSIZE") return codeOf(error);
    }
    try {
      if (this.longAsFile) socket.sendAsFile(bytes);
      else socket.send(bytes.subarray(0, 8192));
      return undefined;
    } catch (error) {
      return codeOf(error);
    }
  }
}
