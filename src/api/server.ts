import { chmod, chown, mkdir, unlink } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import type { Engine } from "../engine/contract.ts";
import { EngineError, messageOf } from "../lib/errors.ts";
import { openFilesMax } from "../system/process/limits.ts";
import { bodyOf } from "./body.ts";
import { answer, type RawRequest } from "./dispatch.ts";
import { hijack } from "./hijack.ts";
import { contentTypes, type Reply } from "./reply.ts";
import { newestMinor, type Router } from "./router.ts";
import { type CommonHeaders, headText, send, sendRaw } from "./send.ts";
import { serveWebsocket } from "./websocket/serve.ts";

/** Where a server listens. */
export type Endpoint =
  | { kind: "unix"; path: string; gid?: number }
  | { kind: "tcp"; host: string; port: number };

const maxHeaderBytes = 64 * 1024;
/**
 * Where few descriptors may be open, fewer: a connection needs up to four (a log that is followed, pipes of an exec), and an
 * engine that has none left finds no exit and answers nobody.
 */
export const connectionsMax = (descriptors: number): number => Math.min(4096, Math.floor(descriptors / 4));
/** how often it is told that clients are turned away */
const droppedEveryMs = 60_000;

/** Who wants to know of connections and requests. */
interface Observers {
  connection?: () => void;
  request?: () => void;
}

/** The API over HTTP: any number of listeners, one router. */
export class ApiServer {
  private readonly engine: Engine;
  private readonly router: Router;
  private readonly on: Observers;
  private readonly common: CommonHeaders;
  private readonly servers: http.Server[] = [];
  private readonly sockets = new Set<Duplex>();
  /** connections with a reply under way, or that have become a session's: what else comes there is no request */
  private readonly taken = new WeakSet<Duplex>();
  private readonly unixPaths: string[] = [];
  private droppedMs = Number.NEGATIVE_INFINITY;

  constructor(engine: Engine, router: Router, on: Observers = {}) {
    this.engine = engine;
    this.router = router;
    this.on = on;
    this.common = {
      "Api-Version": `1.${newestMinor}`,
      "Docker-Experimental": "false",
      Ostype: "linux",
      Server: `Docker/${engine.serverVersion} (linux)`,
    };
  }

  /** Starts to listen. A stale socket file of an engine that is gone is replaced. */
  async listen(endpoint: Endpoint): Promise<{ port?: number }> {
    const server = http.createServer({
      maxHeaderSize: maxHeaderBytes,
      keepAliveTimeout: 0,
      requestTimeout: 0,
    });
    server.maxConnections = connectionsMax(openFilesMax());
    server.on("drop", () => this.tellDropped(server.maxConnections));
    server.on("connection", (socket: Duplex) => this.track(socket));
    const local = endpoint.kind === "unix";
    server.on("request", (request, response) => void this.onRequest(request, response, local));
    server.on("upgrade", (request, socket, head) => void this.onUpgrade(request, socket, head, local));
    server.on("clientError", onClientError);
    if (endpoint.kind === "unix") await removeStale(endpoint.path);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const ready = (): void => {
        server.off("error", reject);
        server.on("error", (error) => this.engine.logger.error("api server", { error: error.message }));
        resolve();
      };
      if (endpoint.kind === "unix") listenPrivately(server, endpoint.path, ready);
      else server.listen(endpoint.port, endpoint.host, ready);
    });
    this.servers.push(server);
    if (endpoint.kind === "tcp") {
      const { address, port } = server.address() as AddressInfo;
      if (!/^(127\.|::1$)/.test(address))
        this.engine.logger.warn("anyone who reaches this address is root on this host: there is no TLS yet", {
          address: `${address}:${port}`,
        });
      return { port };
    }
    this.unixPaths.push(endpoint.path);
    await chmod(endpoint.path, 0o660);
    if (endpoint.gid !== undefined) await chown(endpoint.path, 0, endpoint.gid);
    return {};
  }

  /** Stops accepting, then ends what is still open. */
  async close(): Promise<void> {
    const closed = this.servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const socket of this.sockets) socket.destroy();
    await Promise.race([Promise.all(closed), Bun.sleep(1000)]);
    for (const path of this.unixPaths) await unlink(path).catch(ignoreMissing);
  }

  private tellDropped(connections: number): void {
    const now = performance.now();
    if (now - this.droppedMs < droppedEveryMs) return;
    this.droppedMs = now;
    this.engine.logger.warn("too many connections: further clients are turned away", { connections });
  }

  private track(socket: Duplex): void {
    this.on.connection?.();
    this.sockets.add(socket);
    socket.on("error", ignoreReset);
    socket.once("close", () => this.sockets.delete(socket));
  }

  /**
   * One request at a time on a connection. Without an upgrade the server would read what a client sends after an attach,
   * which is its process's input, as further requests and do as they say: such a connection ends.
   */
  private async onRequest(request: IncomingMessage, response: ServerResponse, local: boolean): Promise<void> {
    const { socket } = request;
    if (this.taken.has(socket)) {
      socket.destroy();
      return;
    }
    this.taken.add(socket);
    this.on.request?.();
    response.on("error", ignoreReset);
    request.on("error", ignoreReset);
    const head = request.method === "HEAD";
    const signal = lazySignal(response);
    try {
      const reply = await answer(this.engine, this.router, rawRequest(request, signal, local));
      if (reply.kind === "hijack") await hijack(socket, false, reply, this.common);
      else if (reply.kind === "websocket") await serveWebsocket(socket, reply.key, reply.session);
      else if (reply.kind === "rawError") socket.end(rawErrorText(reply));
      else if (reply.kind === "upgrade") socket.destroy();
      else {
        await send(reply, response, this.common, head);
        this.taken.delete(socket);
      }
    } catch (error) {
      // The reply had begun: all that can be told now is that it is not whole.
      const level = response.destroyed ? "debug" : "warn";
      this.engine.logger[level]("request ended early", { url: request.url, error: messageOf(error) });
      response.destroy();
    }
  }

  private async onUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    local: boolean,
  ): Promise<void> {
    this.on.request?.();
    socket.on("error", ignoreReset);
    if (head.length > 0) socket.unshift(head);
    const signal = lazySignal(socket);
    try {
      const reply = await answer(this.engine, this.router, rawRequest(request, signal, local));
      if (reply.kind === "hijack") await hijack(socket, true, reply, this.common);
      else if (reply.kind === "websocket") await serveWebsocket(socket, reply.key, reply.session);
      else if (reply.kind === "upgrade") upgrade(socket, reply);
      else if (reply.kind === "rawError") socket.end(rawErrorText(reply));
      else await sendRaw(reply, socket, this.common);
    } catch (error) {
      this.engine.logger.debug("request ended early", { url: request.url, error: messageOf(error) });
      socket.destroy();
    }
  }
}

const rawRequest = (request: IncomingMessage, signal: () => AbortSignal, local: boolean): RawRequest => ({
  method: request.method ?? "GET",
  url: request.url ?? "/",
  headers: request.headers,
  body: bodyOf(request),
  signal,
  local,
});

function upgrade(socket: Duplex, { protocol, take }: Reply & { kind: "upgrade" }): void {
  socket.cork(); // what is there to say goes out with the head
  socket.write(headText(101, { Connection: "Upgrade", Upgrade: protocol }, "Switching Protocols"));
  take(socket);
  socket.uncork();
}

function rawErrorText(reply: Reply & { kind: "rawError" }): string {
  return `${headText(reply.status, { "Content-Type": reply.contentType })}${reply.message}\r\n`;
}

/** A signal that aborts when the connection closes before the reply is done; most requests never ask for it. */
function lazySignal(connection: ServerResponse | Duplex): () => AbortSignal {
  let controller: AbortController | undefined;
  return () => {
    if (!controller) {
      const made = new AbortController();
      controller = made;
      if (connection.destroyed) made.abort();
      else connection.once("close", () => made.abort());
    }
    return controller.signal;
  };
}

/** A client that leaves in the middle is no fault of ours; `close` follows and frees what it held. */
function ignoreReset(): void {
  return;
}

function onClientError(_error: Error, socket: Duplex): void {
  if (!socket.writable) return;
  socket.end(`${headText(400, { "Content-Type": contentTypes.text, Connection: "close" })}400 Bad Request`);
}

/** A socket that nobody answers on was left by a crash; one that somebody answers on is not ours to take. */
/** From its first instant the socket is root's alone; its group is let in once it owns the file. */
function listenPrivately(server: http.Server, path: string, ready: () => void): void {
  const before = process.umask(0o177);
  try {
    server.listen(path, ready);
  } finally {
    process.umask(before);
  }
}

async function removeStale(path: string): Promise<void> {
  if (await answers(path))
    throw new EngineError(
      "conflict",
      `another engine answers on ${path}: stop it, or listen elsewhere with -H`,
    );
  await mkdir(dirname(path), { recursive: true });
  await unlink(path).catch(ignoreMissing);
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
