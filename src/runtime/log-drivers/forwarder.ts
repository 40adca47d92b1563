import { messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { LogMessage } from "../../lib/log-codecs/message.ts";
import { ChangeWaiter } from "../logs/change-waiter.ts";
import type { Destination } from "./destination.ts";
import { type LogPosition, readPosition, writePosition } from "./position.ts";
import { LogReader } from "./source.ts";

/** the watch wakes it sooner */
const lookAgainMs = 1000;
const firstBackoffMs = 100;
const longestBackoffMs = 10_000;
/** the position is written at most this often while lines come */
const savePeriodMs = 100;
/** a name that is looked up cannot be given up */
const stopPatienceMs = 2000;
/** what a connection took this long before it broke has arrived, as far as can be known */
const settledMs = 1000;

interface ForwarderOptions {
  containerId: string;
  driver: string;
  logPath: string;
  positionPath: string;
  destination: Destination;
  logger: Logger;
}

/**
 * Hands a container's log on to its driver's service, line by line from the file conmon writes. Every line arrives at
 * least once, also over an engine's end and a service's; the file is the buffer, so that memory does not grow and the
 * container is never held back.
 */
export class Forwarder {
  private readonly options: ForwarderOptions;
  private readonly reader: LogReader;
  private readonly stopping = new AbortController();
  /** positions reached, and when: where to go back to when the connection turns out to have been broken */
  private reached: { at: number; position: LogPosition | undefined }[] = [];
  private saved = 0;
  private unsaved = false;
  private failing = false;
  private backoffMs = firstBackoffMs;
  private running: Promise<void> = Promise.resolve();

  constructor(options: ForwarderOptions) {
    this.options = options;
    this.reader = new LogReader(options.logPath);
  }

  /** inode of the log's file that is read now */
  get inode(): bigint | undefined {
    return this.reader.inode;
  }

  /** Begins; `done` is told when all was handed on after `ended`. */
  follow(ended: Promise<unknown>, done: () => void): void {
    this.running = this.run(ended).then(
      (finished) => {
        if (finished) done();
      },
      (error: unknown) => this.warn("the log driver failed", error),
    );
  }

  /** Resolves when it has come to its end, or could not within the time. Says whether it has. */
  async drained(timeoutMs: number): Promise<boolean> {
    let timer: Timer | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const result = await Promise.race([this.running.then(() => true), late]);
    clearTimeout(timer);
    return result;
  }

  /** Lets go, at a position the next one goes on from. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.options.destination.close(); // whatever hangs on the service comes to its end
    if (!(await this.drained(stopPatienceMs))) this.warn("the log driver hangs", "it is left behind");
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Whether all was handed on (else it was stopped). */
  private async run(ended: Promise<unknown>): Promise<boolean> {
    const { logPath, positionPath, destination } = this.options;
    const waiter = new ChangeWaiter(logPath, ended, this.stopping.signal, lookAgainMs);
    try {
      await this.reader.seek(await readPosition(positionPath));
      this.mark();
      while (!this.stopped) {
        if (destination.brokenAt !== undefined) await this.goBack();
        const last = waiter.ended; // asked before reading: what was written before the end is then read
        const messages = await this.reader.read();
        if (destination.brokenAt !== undefined) continue; // just now: they are read again, behind what may be lost
        if (messages) await this.deliver(messages);
        else if (last) {
          await this.deliver(this.reader.end());
          return !this.stopped;
        } else {
          await this.save();
          await waiter.wait();
        }
      }
      return false;
    } finally {
      waiter.close();
      await this.save();
      await this.reader.close();
      destination.close();
    }
  }

  private async deliver(messages: readonly LogMessage[]): Promise<void> {
    const { destination } = this.options;
    if (messages.length > 0)
      try {
        await destination.open();
        await destination.send(messages);
        if (this.failing) this.options.logger.info("the log driver works again", this.names);
        this.failing = false;
        this.backoffMs = firstBackoffMs;
      } catch (error) {
        await this.goBack();
        if (!this.failing) this.warn("the log driver cannot deliver; it tries on", error);
        this.failing = true;
        await this.pause();
        return;
      }
    this.mark();
    this.unsaved = true;
    if (performance.now() - this.saved >= savePeriodMs) await this.save();
  }

  private mark(): void {
    const at = performance.now();
    const newest = this.reached.at(-1);
    const entry = { at, position: this.reader.position };
    const before = this.reached.at(-2);
    // few are kept: one for each quarter of the time that counts
    if (newest && before && at - before.at < settledMs / 4) this.reached[this.reached.length - 1] = entry;
    else this.reached.push(entry);
    while (this.reached.length > 2 && (this.reached[1]?.at ?? at) < at - 2 * settledMs) this.reached.shift();
  }

  /** To the last line that is known to have arrived: what came after it may have been lost with the connection. */
  private async goBack(): Promise<void> {
    const { destination } = this.options;
    const brokenAt = destination.brokenAt ?? performance.now();
    const sure = destination.unconfirmed
      ? this.reached.findLast(({ at }) => at <= brokenAt - settledMs)
      : this.reached.at(-1);
    const position = (sure ?? this.reached[0])?.position;
    destination.close();
    await this.reader.seek(position);
    this.reached = [{ at: performance.now() - settledMs, position: this.reader.position }];
    // written at once: an engine that is killed while the service is away must not go on behind what was lost
    this.unsaved = true;
    await this.save();
  }

  private async pause(): Promise<void> {
    const { signal } = this.stopping;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", finish);
        resolve();
      };
      const timer = setTimeout(finish, this.backoffMs);
      signal.addEventListener("abort", finish);
      if (signal.aborted) finish();
    });
    this.backoffMs = Math.min(this.backoffMs * 2, longestBackoffMs);
  }

  private async save(): Promise<void> {
    const position = this.reached.at(-1)?.position;
    if (!this.unsaved || !position) return;
    this.unsaved = false;
    this.saved = performance.now();
    try {
      await writePosition(this.options.positionPath, position);
    } catch (error) {
      this.warn("cannot keep the log driver's position", error);
    }
  }

  private get names(): { container: string; driver: string } {
    return { container: this.options.containerId, driver: this.options.driver };
  }

  private warn(sentence: string, error: unknown): void {
    this.options.logger.warn(sentence, { ...this.names, error: messageOf(error) });
  }
}
