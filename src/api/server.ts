import { chmod, chown, unlink } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Engine } from "../engine/contract.ts";
import { EngineError, messageOf } from "../lib/errors.ts";
import { Call } from "./call.ts";
import { errorBody, pageNotFound, statusOf } from "./errors.ts";
import { hijack } from "./hijack.ts";
import { contentTypes, type Reply } from "./reply.ts";
import { ClientTooOld, cleanPath, minorVersion, newestMinor, parseTarget, type Router } from "./router.ts";
import { type CommonHeaders, headText, send, sendRaw } from "./send.ts";

/** Where a server listens. */
export type Endpoint =
  | { kind: "unix"; path: string; gid?: number }
  | { kind: "tcp"; host: string; port: number };

const maxHeaderBytes = 64 * 1024;
const maxConnections = 4096;

/** The API over HTTP: any number of listeners, one router. */
export class ApiServer {
  private readonly engine: Engine;
  private readonly router: Router;
  private readonly common: CommonHeaders;
  private readonly servers: http.Server[] = [];
  private readonly sockets = new Set<Duplex>();
  private readonly unixPaths: string[] = [];

  constructor(engine: Engine, router: Router) {
    this.engine = engine;
    this.router = router;
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
    server.maxConnections = maxConnections;
    server.on("connection", (socket: Duplex) => this.track(socket));
    server.on("request", (request, response) => void this.onRequest(request, response));
    server.on("upgrade", (request, socket, head) => void this.onUpgrade(request, socket, head));
    server.on("clientError", onClientError);
    if (endpoint.kind === "unix") await removeStale(endpoint.path);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const ready = (): void => {
        server.off("error", reject);
        server.on("error", (error) => this.engine.logger.error("api server", { error: error.message }));
        resolve();
      };
      if (endpoint.kind === "unix") server.listen(endpoint.path, ready);
      else server.listen(endpoint.port, endpoint.host, ready);
    });
    this.servers.push(server);
    if (endpoint.kind === "tcp") return { port: (server.address() as AddressInfo).port };
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

  private track(socket: Duplex): void {
    this.sockets.add(socket);
    socket.on("error", ignoreReset);
    socket.once("close", () => this.sockets.delete(socket));
  }

  private async onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", ignoreReset);
    request.on("error", ignoreReset);
    const head = request.method === "HEAD";
    const signal = lazySignal(response);
    try {
      const reply = await this.answer(request, request, signal);
      if (reply.kind === "hijack") await hijack(request.socket, false, reply.contentType, reply.session);
      else if (reply.kind === "rawError") request.socket.end(rawErrorText(reply));
      else await send(reply, response, this.common, head);
    } catch (error) {
      // The reply had begun: all that can be told now is that it is not whole.
      this.engine.logger.debug("request ended early", { url: request.url, error: messageOf(error) });
      response.destroy();
    }
  }

  private async onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", ignoreReset);
    if (head.length > 0) socket.unshift(head);
    const signal = lazySignal(socket);
    try {
      const reply = await this.answer(request, request, signal);
      if (reply.kind === "hijack") await hijack(socket, true, reply.contentType, reply.session);
      else if (reply.kind === "rawError") socket.end(rawErrorText(reply));
      else await sendRaw(reply, socket, this.common);
    } catch (error) {
      this.engine.logger.debug("request ended early", { url: request.url, error: messageOf(error) });
      socket.destroy();
    }
  }

  /** The reply of a request; every failure becomes one. */
  private async answer(
    request: IncomingMessage,
    body: AsyncIterable<Uint8Array>,
    signal: () => AbortSignal,
  ): Promise<Reply> {
    try {
      return await this.dispatch(request, body, signal);
    } catch (error) {
      const status = statusOf(error);
      if (status >= 500 && !(error instanceof EngineError && error.kind !== "internal"))
        this.engine.logger.error("request failed", {
          method: request.method,
          url: request.url,
          error: messageOf(error),
          ...(error instanceof EngineError
            ? {}
            : { stack: error instanceof Error ? error.stack : undefined }),
        });
      if (status === 304) return { kind: "empty", status };
      if (error instanceof ClientTooOld)
        return { kind: "text", status, text: `${error.message}\n`, contentType: contentTypes.text };
      return { kind: "json", status, value: errorBody(error) };
    }
  }

  private async dispatch(
    request: IncomingMessage,
    body: AsyncIterable<Uint8Array>,
    signal: () => AbortSignal,
  ): Promise<Reply> {
    const target = parseTarget(request.url ?? "/");
    if (!target)
      return { kind: "text", status: 400, text: "400 Bad Request", contentType: contentTypes.text };
    const clean = cleanPath(target.path);
    if (clean !== target.path) return redirect(clean, target.version, target.search);
    const method = request.method ?? "GET";
    if (method === "OPTIONS") {
      minorVersion(target.version);
      return { kind: "empty", status: 200 };
    }
    const match = this.router.match(method, target.path);
    if (!match) throw pageNotFound();
    const call = new Call({
      engine: this.engine,
      method,
      path: target.path,
      search: target.search,
      minor: minorVersion(target.version),
      headers: request.headers,
      body,
      signal,
    });
    call.params = match.params;
    return match.route.handler(call);
  }
}

function redirect(path: string, version: string | undefined, search: string): Reply {
  const prefix = version === undefined ? "" : `/v${version}`;
  const location = prefix + encodeURI(path) + (search === "" ? "" : `?${search}`);
  return { kind: "empty", status: 301, headers: { Location: location } };
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

async function removeStale(path: string): Promise<void> {
  await unlink(path).catch(ignoreMissing);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
