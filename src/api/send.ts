import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { stringifyPlain } from "../lib/wire/json.ts";
import type { ByteSource, Reply } from "./reply.ts";

/** Headers that every reply has. */
export type CommonHeaders = Readonly<Record<string, string>>;

type Plain = Exclude<Reply, { kind: "hijack" | "websocket" | "upgrade" | "rawError" }>;

export const jsonText = (value: unknown): string => `${stringifyPlain(value)}\n`;

/** Writes a reply that ends by itself. Resolves when all is handed over or the client is gone. */
export async function send(
  reply: Plain,
  response: ServerResponse,
  common: CommonHeaders,
  head: boolean,
): Promise<void> {
  switch (reply.kind) {
    case "json":
      return sendWhole(
        response,
        reply.status,
        { ...(reply.bare ? {} : common), ...reply.headers, "Content-Type": "application/json" },
        jsonText(reply.value),
        head,
      );
    case "text":
      return sendWhole(
        response,
        reply.status,
        { ...common, ...reply.headers, "Content-Type": reply.contentType },
        reply.text,
        head,
      );
    case "empty": {
      const bodiless = reply.status === 204 || reply.status === 304;
      const length = bodiless ? {} : { "Content-Length": "0" };
      response.writeHead(reply.status, { ...(reply.bare ? {} : common), ...reply.headers, ...length });
      response.end();
      return;
    }
    case "later":
      response.writeHead(reply.status, { ...common, "Content-Type": "application/json" });
      response.flushHeaders();
      response.end(jsonText(await reply.value));
      return;
    case "stream":
      response.writeHead(reply.status, { ...common, ...reply.headers, "Content-Type": reply.contentType });
      response.flushHeaders();
      if (!head) await pour(reply.body, response);
      response.end();
  }
}

function sendWhole(
  response: ServerResponse,
  status: number,
  headers: CommonHeaders,
  body: string,
  head: boolean,
): void {
  response.writeHead(status, { ...headers, "Content-Length": String(Buffer.byteLength(body)) });
  response.end(head ? undefined : body);
}

/**
 * Copies a source to a client at the client's pace. A client that vanishes ends the copy and lets the source go
 * (`return` of an iterator, `cancel` of a stream).
 */
export async function pour(source: ByteSource, target: ServerResponse | Duplex): Promise<void> {
  let gone = target.destroyed;
  let wake: (() => void) | undefined;
  const onClose = (): void => {
    gone = true;
    wake?.();
    void iterator.return?.();
  };
  const iterator: AsyncIterator<Uint8Array | string> = iteratorOf(source);
  const onDrain = (): void => wake?.();
  target.on("close", onClose);
  target.on("drain", onDrain);
  // a generator that never began would not let go of what it holds
  if (gone) iterator.next().catch(() => undefined);
  try {
    while (!gone) {
      const { value, done } = await iterator.next();
      if (done || gone) break;
      if (target.write(value)) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (gone) resolve();
      });
    }
  } finally {
    target.off("close", onClose);
    target.off("drain", onDrain);
    if (gone) await iterator.return?.();
  }
}

/** A reader rather than `for await`: `cancel` must reach a stream while a read of it is pending. */
function iteratorOf(source: ByteSource): AsyncIterator<Uint8Array | string> {
  if (!(source instanceof ReadableStream)) return source[Symbol.asyncIterator]();
  const reader = source.getReader();
  return {
    next: async () => {
      const { value, done } = await reader.read();
      return done ? { value: undefined, done: true } : { value, done: false };
    },
    return: async () => {
      await reader.cancel();
      return { value: undefined, done: true };
    },
  };
}

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  204: "No Content",
  301: "Moved Permanently",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  413: "Request Entity Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};

/** A status line and headers for a bare socket. */
export function headText(
  status: number,
  headers: CommonHeaders,
  reason = reasons[status] ?? "Status",
): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join("")}\r\n`;
}

/** The same as `send` for a connection that asked for an upgrade and does not get it; the connection ends with it. */
export async function sendRaw(reply: Plain, socket: Duplex, common: CommonHeaders): Promise<void> {
  const headers = { ...common, Connection: "close" };
  switch (reply.kind) {
    case "json":
    case "later":
      sendRawWhole(
        socket,
        reply.status,
        { ...headers, "Content-Type": "application/json" },
        jsonText(await reply.value),
      );
      return;
    case "text":
      sendRawWhole(
        socket,
        reply.status,
        { ...headers, ...reply.headers, "Content-Type": reply.contentType },
        reply.text,
      );
      return;
    case "empty":
      socket.end(headText(reply.status, { ...headers, ...reply.headers, "Content-Length": "0" }));
      return;
    case "stream":
      socket.write(
        headText(reply.status, { ...headers, ...reply.headers, "Content-Type": reply.contentType }),
      );
      await pour(reply.body, socket);
      socket.end();
  }
}

function sendRawWhole(socket: Duplex, status: number, headers: CommonHeaders, body: string): void {
  socket.end(headText(status, { ...headers, "Content-Length": String(Buffer.byteLength(body)) }) + body);
}
