import { setTimeout as pause } from "node:timers/promises";
import { SystemError } from "../../system/libc.ts";
import { isAccepted } from "../../system/sockets/accepted.ts";
import { type AdoptedSocket, adoptSocket, connectSeqpacket } from "../../system/sockets/sockets.ts";

/** conmon's numbers of the pipes, the first byte of each packet. */
const stdoutPipe = 2;
const stderrPipe = 3;
/** conmon receives at most 32 KB a packet and drops the rest of a longer one */
const packetSize = 16_384;

/** conmon accepts as soon as it has a turn, which takes this long only where it hangs */
const acceptLimitMs = 2000;
const acceptCheckMs = 1;

/** A kernel that cannot tell (no CONFIG_UNIX_DIAG), or has no descriptor left to ask by, leaves it at that. */
function wasAccepted(fd: number): boolean {
  try {
    return isAccepted(fd);
  } catch (error) {
    if (error instanceof SystemError) return true;
    throw error;
  }
}

export type StreamNumber = 1 | 2;

export interface ConnectionEvents {
  /** at most 8 KB of the process's output, from `from` on; Docker's stream numbers: 1 stdout, 2 stderr */
  packet(stream: StreamNumber, bytes: Buffer, from: number): void;
  /** conmon has closed it: all output was delivered before */
  end(): void;
}

/** One connection to conmon's attach socket. */
export class AttachConnection {
  private readonly events: ConnectionEvents;
  private socket: AdoptedSocket | undefined;
  private open = true;
  private inputOpen = true;
  private paused = false;
  private turn: Promise<void> = Promise.resolve();
  private wake: (() => void) | undefined;

  private constructor(events: ConnectionEvents) {
    this.events = events;
  }

  /**
   * Resolves when conmon has accepted it: one that found its process ended first would leave without a word, and what the
   * process said would be in its log alone. Where conmon `acceptsLate`, nothing is waited for. Throws SystemError `ENOENT` or
   * `ECONNREFUSED` when the process has ended.
   */
  static async open(
    path: string,
    events: ConnectionEvents,
    { acceptsLate = false } = {},
  ): Promise<AttachConnection> {
    const connection = new AttachConnection(events);
    const fd = connectSeqpacket(path);
    connection.socket = await adoptSocket(fd, {
      data: (bytes) => connection.take(bytes),
      drain: () => connection.wake?.(),
      end: () => connection.finish(),
    });
    if (!acceptsLate) await connection.accepted(fd);
    return connection;
  }

  private async accepted(fd: number): Promise<void> {
    const limit = performance.now() + acceptLimitMs;
    // the descriptor is ours as long as the connection is open
    while (this.open && !wasAccepted(fd) && performance.now() < limit) await pause(acceptCheckMs);
  }

  private take(packet: Buffer): void {
    const pipe = packet[0];
    if (pipe !== stdoutPipe && pipe !== stderrPipe) return;
    this.events.packet(pipe === stdoutPipe ? 1 : 2, packet, 1);
  }

  private finish(): void {
    if (!this.open) return;
    this.open = false;
    this.inputOpen = false;
    this.wake?.();
    this.events.end();
  }

  pause(): void {
    if (!this.paused) this.socket?.pause();
    this.paused = true;
  }

  resume(): void {
    if (this.paused && this.open) this.socket?.resume();
    this.paused = false;
  }

  /** Writes to stdin in the order of the calls; resolves when conmon has the bytes, or nobody takes them any more. */
  write(bytes: Uint8Array): Promise<void> {
    const mine = this.turn.then(() => this.send(bytes));
    this.turn = mine;
    return mine;
  }

  private async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && this.inputOpen; ) {
      const packet = bytes.subarray(at, at + packetSize);
      const taken = this.socket?.write(packet) ?? -1;
      if (taken < 0) return;
      at += taken;
      if (taken < packet.length) await this.writable();
    }
  }

  private writable(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = () => {
        this.wake = undefined;
        resolve();
      };
    });
  }

  /** Ends the process's stdin after what was written. */
  async endInput(): Promise<void> {
    await this.turn;
    if (!this.inputOpen) return;
    this.inputOpen = false;
    this.socket?.shutdown();
  }

  close(): void {
    this.open = false;
    this.inputOpen = false;
    this.wake?.();
    this.socket?.end();
  }
}
