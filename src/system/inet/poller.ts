import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { bindLibc, check, errno } from "../libc.ts";

/**
 * epoll(7) for a worker thread that decides itself whom it serves next: one look at each ready descriptor a round, so
 * that a busy one cannot hold up the others. While the thread waits here it reads none of its messages: whoever sends
 * one calls `wakeUp` after it.
 */
const libc = bindLibc({
  epoll_create1: { args: ["i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  epoll_wait: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
  eventfd: { args: ["u32", "i32"], returns: "i32" },
  eventfd_read: { args: ["i32", "ptr"], returns: "i32" },
  eventfd_write: { args: ["i32", "u64"], returns: "i32" },
});

const CLOEXEC = 0o2000000;
const NONBLOCK = 0o4000;
const ADD = 1;
const DELETE = 2;
const MODIFY = 3;
const EINTR = 4;
export const readable = 1;
export const writable = 4;
/** `struct epoll_event` is packed on x86-64 only */
const [eventSize, dataAt] = process.arch === "x64" ? [12, 4] : [16, 8];
const eventsMax = 64;

export class Poller {
  /** write to it with `wakeUp`, from any thread */
  readonly wakeFd: number;
  private readonly fd: number;
  private readonly handlers = new Map<number, (events: number) => void>();
  private readonly events = Buffer.alloc(eventsMax * eventSize);
  private readonly event = Buffer.alloc(eventSize);
  private readonly counter = new BigUint64Array(1);
  private woken = false;

  constructor() {
    this.fd = check(libc.epoll_create1(CLOEXEC), "epoll_create1");
    this.wakeFd = check(libc.eventfd(0, CLOEXEC | NONBLOCK), "eventfd");
    this.add(this.wakeFd, readable, () => {
      libc.eventfd_read(this.wakeFd, ptr(this.counter));
      this.woken = true;
    });
  }

  /** Calls `handler` from `wait` whenever one of `events` holds (or the descriptor has an error). */
  add(fd: number, events: number, handler: (events: number) => void): void {
    this.control(ADD, fd, events);
    this.handlers.set(fd, handler);
  }

  change(fd: number, events: number): void {
    this.control(MODIFY, fd, events);
  }

  /** Forgets and closes a descriptor; one that is not here is nothing. */
  close(fd: number): void {
    if (!this.handlers.delete(fd)) return;
    this.control(DELETE, fd, 0);
    closeSync(fd);
  }

  /** Waits up to `timeoutMs` (-1: for ever), calls each ready descriptor's handler once, tells whether it was woken. */
  wait(timeoutMs: number): boolean {
    const count = libc.epoll_wait(this.fd, ptr(this.events), eventsMax, timeoutMs);
    if (count < 0 && errno() !== EINTR) check(count, "epoll_wait");
    this.woken = false;
    for (let index = 0; index < count; index++) {
      const at = index * eventSize;
      // a handler may have closed it within this round
      this.handlers.get(this.events.readInt32LE(at + dataAt))?.(this.events.readUInt32LE(at));
    }
    return this.woken;
  }

  /** Closes everything that is left. */
  end(): void {
    for (const fd of [...this.handlers.keys()]) this.close(fd);
    closeSync(this.fd);
  }

  private control(operation: number, fd: number, events: number): void {
    this.event.writeUInt32LE(events, 0);
    this.event.writeInt32LE(fd, dataAt);
    check(libc.epoll_ctl(this.fd, operation, fd, ptr(this.event)), "epoll_ctl");
  }
}

/** Ends the `wait` of a poller of this process, now or the next. */
export function wakeUp(wakeFd: number): void {
  libc.eventfd_write(wakeFd, 1);
}
