import { transportError } from "./failure.ts";
import type { Patience } from "./patience.ts";

/** What a server answered. Its body comes at the reader's pace, and fails when the server stands still or breaks off. */
export class Answer {
  /** where it came from in the end, after redirects */
  readonly url: URL;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  private readonly reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  private readonly patience: Patience;

  constructor(url: URL, response: Response, patience: Patience) {
    this.url = url;
    this.status = response.status;
    this.statusText = response.statusText;
    this.headers = response.headers;
    this.reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
    this.patience = patience;
    if (this.reader === undefined) patience.end();
    else patience.pause();
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  async *body(): AsyncGenerator<Uint8Array, void> {
    if (this.reader === undefined) return;
    let whole = false;
    try {
      for (;;) {
        this.patience.beat();
        const { value, done } = await this.reader.read();
        this.patience.pause();
        whole = done;
        if (done) return;
        yield value;
      }
    } catch (error) {
      if (this.patience.signal.aborted) throw this.patience.signal.reason;
      throw transportError("GET", this.url, error);
    } finally {
      this.patience.end();
      if (!whole) await this.discard();
    }
  }

  /** The body's beginning, no more than `limit` bytes of it. */
  async bytes(limit: number): Promise<Buffer<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of this.body()) {
      parts.push(part);
      length += part.length;
      if (length >= limit) break;
    }
    return Buffer.concat(parts).subarray(0, limit);
  }

  async text(limit: number): Promise<string> {
    return (await this.bytes(limit)).toString("utf8");
  }

  /** Lets the body go unread. */
  async discard(): Promise<void> {
    this.patience.end();
    // it may have failed already: nobody wants to know
    await this.reader?.cancel().catch(() => undefined);
  }
}
