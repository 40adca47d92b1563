import type { Attachment, AttachOptions } from "../contract.ts";
import { AttachClient } from "./client.ts";
import { AttachConnection, type ConnectionEvents } from "./connection.ts";

/** A reader that is this many bytes behind holds the process back … */
export const pauseAtBytes = 1024 * 1024;
/** … until it is at most this far behind. */
export const resumeAtBytes = 256 * 1024;
const deadCheckMs = 100;

interface StreamsOf {
  socketPath: string;
  terminal: boolean;
  /** conmon keeps stdin open when our connection ends */
  keepsStdin: boolean;
  stdin: boolean;
  /** conmon accepts nobody before the process runs, and then first of all (an exec without a terminal) */
  acceptsLate?: boolean;
  /** whether the process itself still runs */
  running: () => boolean;
}

/**
 * The streams of one process: one connection to its conmon, opened by the first client and fanned out to all. It is
 * closed after the last one, unless that would end a stdin that nobody asked to end; then what comes is read and
 * dropped, since an unread socket stops the process.
 */
export class ProcessStreams {
  private readonly of: StreamsOf;
  private readonly clients = new Set<AttachClient>();
  private connection: Promise<AttachConnection | undefined> | undefined;
  private stdinOpen: boolean;
  private ended = false;
  /** the process has ended: nothing is held back, for conmon tells the exit only when all its output is taken */
  private draining = false;
  private paused = false;
  private readonly over = Promise.withResolvers<void>();

  constructor(of: StreamsOf) {
    this.of = of;
    this.stdinOpen = of.stdin;
  }

  async attach(options: AttachOptions): Promise<Attachment> {
    const client = new AttachClient(options, this.of.terminal, (left) => {
      if (left) this.clients.delete(client);
      void this.settle();
    });
    this.clients.add(client);
    await this.connect();
    if (this.ended) client.end();
    return {
      output: client.output,
      write: async (bytes) => {
        if (this.stdinOpen) await (await this.connect())?.write(bytes);
      },
      closeStdin: () => this.closeStdin(),
      close: () => {
        client.end();
        this.clients.delete(client);
        void this.settle();
      },
    };
  }

  private connect(): Promise<AttachConnection | undefined> {
    this.connection ??= this.open();
    return this.connection;
  }

  private async open(): Promise<AttachConnection | undefined> {
    try {
      const events: ConnectionEvents = {
        packet: (stream, bytes, from) => {
          for (const client of this.clients) client.push(stream, bytes, from);
          this.hold();
        },
        end: () => this.end(),
      };
      return await AttachConnection.open(this.of.socketPath, events, this.of);
    } catch (error) {
      const code = String((error as { code?: unknown }).code);
      if (code !== "ENOENT" && code !== "ECONNREFUSED") throw error;
      this.end(); // no socket, no conmon: the process has ended
      return undefined;
    }
  }

  private end(): void {
    this.ended = true;
    this.over.resolve();
    for (const client of this.clients) client.end();
  }

  private async closeStdin(): Promise<void> {
    if (!this.stdinOpen || this.of.keepsStdin) return;
    this.stdinOpen = false;
    await (await this.connect())?.endInput();
    await this.settle();
  }

  private hold(): void {
    if (this.paused || this.draining || this.behind() < pauseAtBytes) return;
    this.paused = true;
    void this.settle();
    setTimeout(() => this.watchPaused(), deadCheckMs).unref();
  }

  private behind(): number {
    let most = 0;
    for (const client of this.clients) most = Math.max(most, client.queued);
    return most;
  }

  private watchPaused(): void {
    if (!this.paused || this.ended) return;
    if (this.of.running()) setTimeout(() => this.watchPaused(), deadCheckMs).unref();
    else {
      this.draining = true;
      void this.settle();
    }
  }

  /** Brings the connection in line with the clients there are. */
  private async settle(): Promise<void> {
    const connection = await this.connection;
    if (!connection || this.ended) return;
    if (this.clients.size === 0 && (!this.stdinOpen || this.of.keepsStdin)) {
      this.connection = undefined;
      this.paused = false;
      connection.close();
      return;
    }
    if (this.paused && (this.draining || this.behind() <= resumeAtBytes)) this.paused = false;
    if (this.paused) connection.pause();
    else connection.resume();
  }

  /** The process has ended: resolves when all it wrote is taken (conmon then closes the connection), or after `limitMs`. */
  async drained(limitMs: number): Promise<void> {
    if (this.ended || !(await this.connection)) return;
    this.draining = true;
    await this.settle();
    await Promise.race([this.over.promise, Bun.sleep(limitMs)]);
  }

  /** The engine leaves: the process goes on. */
  async close(): Promise<void> {
    const connection = await this.connection;
    this.end();
    connection?.close();
  }
}
