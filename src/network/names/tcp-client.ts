import { type Poller, readable, writable } from "../../system/inet/poller.ts";
import { again, broken, receive, send } from "../../system/inet/socket.ts";
import { firstMessage, framed } from "./wire.ts";

/** no question is longer */
const questionMax = 4096;
const unsentMax = 256 * 1024;
const idleMs = 10_000;
const buffer = Buffer.alloc(2 * questionMax);

interface TcpClientTools {
  poller: Poller;
  /** a whole message; the client's bytes, to keep */
  question(bytes: Buffer, reply: (answer: Buffer) => void): void;
  closed(): void;
}

/** A container's connection: questions one after another, answers as they are found. */
export class TcpClient {
  private readonly fd: number;
  private readonly tools: TcpClientTools;
  private came = Buffer.alloc(0);
  private unsent: Buffer[] = [];
  private unsentSize = 0;
  private usedMs: number;
  private open = true;

  constructor(fd: number, tools: TcpClientTools, nowMs: number) {
    this.fd = fd;
    this.tools = tools;
    this.usedMs = nowMs;
    tools.poller.add(fd, readable, () => (this.unsent.length > 0 ? this.flush() : this.read()));
  }

  tick(nowMs: number): void {
    if (nowMs - this.usedMs > idleMs) this.close();
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.tools.poller.close(this.fd);
    this.tools.closed();
  }

  private read(): void {
    const count = receive(this.fd, buffer);
    if (count === again) return;
    if (count === broken || count === 0) {
      this.close();
      return;
    }
    this.usedMs = performance.now();
    this.came = Buffer.concat([this.came, buffer.subarray(0, count)]);
    for (let whole = firstMessage(this.came); whole && this.open; whole = firstMessage(this.came)) {
      this.came = this.came.subarray(2 + whole.length);
      this.tools.question(Buffer.from(whole), (answer) => this.write(answer));
    }
    if (this.came.length > questionMax) this.close();
  }

  /** What the client does not take waits, and until it has, nothing more is read from it. */
  private write(answer: Buffer): void {
    if (!this.open) return;
    const waits = this.unsent.length > 0;
    this.unsent.push(framed(answer));
    this.unsentSize += answer.length;
    if (this.unsentSize > unsentMax) this.close();
    else if (!waits) this.flush();
  }

  private flush(): void {
    for (let first = this.unsent[0]; first; first = this.unsent[0]) {
      const count = send(this.fd, first);
      if (count === broken) {
        this.close();
        return;
      }
      if (count === again) {
        this.tools.poller.change(this.fd, writable);
        return;
      }
      this.unsentSize -= count;
      if (count < first.length) this.unsent[0] = first.subarray(count);
      else this.unsent.shift();
    }
    this.unsentSize = 0;
    this.tools.poller.change(this.fd, readable);
  }
}
