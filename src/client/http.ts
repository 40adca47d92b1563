import type { Connection } from "./connection.ts";
import { ConnectionBroken } from "./errors.ts";

export interface HttpRequest {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

export interface HttpResponse {
  status: number;
  /** names in lower case */
  headers: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
  /** true when another request may follow on the connection once the body has been read */
  keepAlive: boolean;
}

const headLimitBytes = 64 << 10;
const crlf2 = [13, 10, 13, 10];

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Reads what it is asked for from a connection and keeps the rest for the next reader. */
export class Reader {
  private rest: Uint8Array = new Uint8Array(0);
  private readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  async chunk(): Promise<Uint8Array | undefined> {
    if (this.rest.length > 0) {
      const chunk = this.rest;
      this.rest = new Uint8Array(0);
      return chunk;
    }
    return this.connection.read();
  }

  /** At most `limit` bytes. */
  async some(limit: number): Promise<Uint8Array | undefined> {
    const chunk = await this.chunk();
    if (!chunk || chunk.length <= limit) return chunk;
    this.unread(chunk.subarray(limit));
    return chunk.subarray(0, limit);
  }

  unread(bytes: Uint8Array): void {
    this.rest = this.rest.length === 0 ? bytes : concat([bytes, this.rest]);
  }

  /** Bytes up to and including `mark`, as text; `undefined` at the end of the stream. */
  async until(mark: readonly number[]): Promise<string | undefined> {
    let seen: Uint8Array = new Uint8Array(0);
    for (;;) {
      const chunk = await this.chunk();
      if (!chunk) return undefined;
      const from = Math.max(0, seen.length - mark.length + 1);
      seen = seen.length === 0 ? chunk : concat([seen, chunk]);
      const end = indexOf(seen, mark, from);
      if (end >= 0) {
        this.unread(seen.subarray(end + mark.length));
        return new TextDecoder().decode(seen.subarray(0, end));
      }
      if (seen.length > headLimitBytes) throw new Error("response header is too long");
    }
  }
}

/*
 * Regular expressions, `Buffer` and the methods of arrays that take a function cost 0.1 to 0.2 ms each where they are used
 * first. Every command passes here, and none of its time is spent on anything larger.
 */

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function indexOf(bytes: Uint8Array, mark: readonly number[], from: number): number {
  for (let at = bytes.indexOf(mark[0] ?? 0, from); at >= 0; at = bytes.indexOf(mark[0] ?? 0, at + 1)) {
    let same = 1;
    while (same < mark.length && bytes[at + same] === mark[same]) same++;
    if (same === mark.length) return at;
  }
  return -1;
}

export function requestHead(request: HttpRequest, host: string): string {
  const headers: Record<string, string> = { Host: host, ...request.headers };
  const { body } = request;
  if (typeof body === "string") headers["Content-Length"] = String(encode(body).length);
  else if (body instanceof Uint8Array) headers["Content-Length"] = String(body.length);
  else if (body) headers["Transfer-Encoding"] = "chunked";
  else if (request.method === "POST") headers["Content-Length"] = "0";
  let head = `${request.method} ${request.path} HTTP/1.1\r\n`;
  for (const name in headers)
    head += `${name}: ${headers[name]?.replaceAll("\r", "").replaceAll("\n", "")}\r\n`;
  return `${head}\r\n`;
}

/** Sends the whole request. A body that is a stream goes out in chunks, with back pressure. */
export async function send(connection: Connection, request: HttpRequest, host: string): Promise<void> {
  const head = requestHead(request, host);
  const { body } = request;
  if (typeof body === "string") return connection.write(head + body);
  await connection.write(head);
  if (body instanceof Uint8Array) return connection.write(body);
  if (!body) return;
  for await (const chunk of fromSource(body)) {
    if (chunk.length === 0) continue;
    await connection.write(concat([encode(`${chunk.length.toString(16)}\r\n`), chunk, encode("\r\n")]));
  }
  await connection.write("0\r\n\r\n");
}

/** A request's body could not be read to its end: no answer will come. */
export class SourceFailed extends Error {}

async function* fromSource(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await iterator.next().catch((cause: unknown) => {
        throw new SourceFailed(cause instanceof Error ? cause.message : String(cause), { cause });
      });
      if (done) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Reads status and headers; 1xx answers other than 101 are skipped. */
export async function receive(reader: Reader, method: string): Promise<HttpResponse> {
  for (;;) {
    const head = await reader.until(crlf2);
    if (head === undefined) throw new ConnectionBroken("connection closed before an answer");
    const [statusLine = "", ...lines] = head.split("\r\n");
    const status = Number(statusLine.slice(9, 12));
    if (!statusLine.startsWith("HTTP/1.") || statusLine[8] !== " " || !(status >= 100))
      throw new ConnectionBroken(`malformed HTTP response ${JSON.stringify(statusLine.slice(0, 60))}`);
    if (status < 200 && status !== 101) continue;
    return respond(reader, method, status, statusLine[7] === "1", parseHeaders(lines));
  }
}

function respond(
  reader: Reader,
  method: string,
  status: number,
  http11: boolean,
  headers: Record<string, string>,
): HttpResponse {
  const keepAlive = http11 && headers["connection"]?.toLowerCase() !== "close";
  if (status === 101) return { status, headers, body: untilEnd(reader), keepAlive: false };
  if (method === "HEAD" || status === 204 || status === 304)
    return { status, headers, body: nothing(), keepAlive };
  if (headers["transfer-encoding"]?.toLowerCase().includes("chunked"))
    return { status, headers, body: chunked(reader), keepAlive };
  const length = headers["content-length"];
  if (length !== undefined) return { status, headers, body: exactly(reader, Number(length)), keepAlive };
  return { status, headers, body: untilEnd(reader), keepAlive: false };
}

function parseHeaders(lines: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return headers;
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  yield* [];
}

async function* untilEnd(reader: Reader): AsyncGenerator<Uint8Array> {
  for (let chunk = await reader.chunk(); chunk; chunk = await reader.chunk()) yield chunk;
}

async function* exactly(reader: Reader, length: number): AsyncGenerator<Uint8Array> {
  for (let left = length; left > 0; ) {
    const chunk = await reader.some(left);
    if (!chunk) throw new ConnectionBroken("unexpected EOF");
    left -= chunk.length;
    yield chunk;
  }
}

async function* chunked(reader: Reader): AsyncGenerator<Uint8Array> {
  for (;;) {
    const line = await reader.until([13, 10]);
    if (line === undefined) throw new ConnectionBroken("unexpected EOF");
    const size = Number.parseInt(line, 16);
    if (!(size >= 0))
      throw new ConnectionBroken(`malformed chunk length ${JSON.stringify(line.slice(0, 20))}`);
    if (size > 0) yield* exactly(reader, size);
    const end = await reader.until([13, 10]);
    if (end === undefined) throw new ConnectionBroken("unexpected EOF");
    if (size === 0) return;
  }
}
