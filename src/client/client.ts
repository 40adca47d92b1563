import { readText, toApiError } from "./answer.ts";
import { BlockingConnection } from "./blocking.ts";
import type { Connection, SocketTarget } from "./connection.ts";
import { SocketConnection } from "./connection.ts";
import { ApiError, ConnectionError, connectionError, SshEnded } from "./errors.ts";
import type { Host } from "./host.ts";
import { type HttpRequest, type HttpResponse, Reader, receive, SourceFailed, send } from "./http.ts";
import { unixPathMax } from "./kernel.ts";
import { type Query, queryString } from "./query.ts";

/** The newest API this client speaks; an older engine is met half way (see `negotiate`). */
export const newestApiVersion = "1.51";

interface ClientOptions {
  host: Host;
  /** fixes the API version, as DOCKER_API_VERSION does; nothing is negotiated then */
  apiVersion?: string;
  headers?: Record<string, string>;
  /** node:tls options, for tcp hosts */
  tls?: Record<string, unknown>;
  userAgent?: string;
  /** Requests hold up the thread until they are answered: for commands that do nothing beside them. */
  blocking?: boolean;
  /** Carries the requests in place of connections of its own: inside an engine. */
  exchange?: (request: HttpRequest, signal?: AbortSignal) => Promise<HttpResponse>;
  /** Called once when nobody listens; answers whether to try again. */
  onUnreachable?: () => Promise<boolean>;
}

export interface RequestOptions {
  query?: Query;
  /** sent as JSON */
  json?: unknown;
  body?: Uint8Array | AsyncIterable<Uint8Array>;
  contentType?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** A raw stream to a process: what an attach or exec request turned its connection into. */
export interface HijackedStream {
  connection: Connection;
  contentType: string;
}

/** A connection, and what has been read from it too far. */
interface Line {
  connection: Connection;
  reader: Reader;
}

/**
 * One engine, by its address. Requests that follow each other share a connection; a request made while another's
 * body is still being read gets one of its own.
 */
export class Client {
  readonly host: Host;
  private readonly options: ClientOptions;
  private readonly idle: Line[] = [];
  private version: string;
  private negotiable: boolean;
  private triedToStart = false;
  private early: Promise<Line | undefined> | undefined;

  constructor(options: ClientOptions) {
    this.host = options.host;
    this.options = options;
    this.version = options.apiVersion ?? newestApiVersion;
    this.negotiable = options.apiVersion === undefined;
  }

  /** The API version requests carry at present. */
  get apiVersion(): string {
    return this.version;
  }

  /** Whether what came with an API version is not to be had. */
  isOlderThan(version: string): boolean {
    return isOlder(this.version, version);
  }

  /**
   * Sends a request; an answer of 400 or above becomes an `ApiError`. The body must be read or closed. An engine sends
   * elsewhere (301) only what has no good path: that is a page that is not there, never what was asked for.
   */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<HttpResponse> {
    const response = await this.attempt(method, path, options);
    if (response.status < 300 || response.status === 304) return response;
    const told = await toApiError(response);
    const error = response.status < 400 ? new ApiError(404, "page not found") : told;
    if (options.body || !this.adapts(error)) throw error;
    return this.request(method, path, options);
  }

  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    return JSON.parse(await this.text(method, path, options)) as T;
  }

  async text(method: string, path: string, options: RequestOptions = {}): Promise<string> {
    const response = await this.request(method, path, options);
    return readText(response.body);
  }

  /** Sends a request whose answer's body says nothing. */
  async call(method: string, path: string, options: RequestOptions = {}): Promise<HttpResponse> {
    const response = await this.request(method, path, options);
    await readText(response.body);
    return response;
  }

  /** Turns the request's connection into a raw stream in both directions. */
  async hijack(path: string, options: RequestOptions = {}): Promise<HijackedStream> {
    const { line, response } = await this.askToUpgrade("tcp", path, options);
    if (response.status === 101 || response.status === 200) return hijacked(line, response);
    const error = await toApiError(response);
    line.connection.close();
    throw error;
  }

  /** The same by a protocol that an engine may not know: its answer to the request as such comes instead then. */
  async upgrade(
    protocol: string,
    path: string,
    options: RequestOptions,
  ): Promise<{ stream: HijackedStream } | { response: HttpResponse }> {
    const { line, response } = await this.askToUpgrade(protocol, path, options);
    if (response.status === 101) return { stream: hijacked(line, response) };
    return { response: { ...response, body: this.returning(line, response, true) } };
  }

  private async askToUpgrade(
    protocol: string,
    path: string,
    options: RequestOptions,
  ): Promise<{ line: Line; response: HttpResponse }> {
    const headers = { ...options.headers, Upgrade: protocol, Connection: "Upgrade" };
    const line = await this.dial();
    await send(line.connection, this.build("POST", path, { ...options, headers }), this.hostHeader());
    const response = await receive(line.reader, "POST");
    if (response.status < 400) return { line, response };
    const error = await toApiError(response);
    line.connection.close();
    if (this.adapts(error)) return this.askToUpgrade(protocol, path, options);
    throw error;
  }

  /** Begins to connect, for a request that is still being prepared. Where that fails, the request will tell. */
  connectEarly(): void {
    if (this.host.kind !== "unix") return;
    this.early = this.open().then(lineOf, () => undefined);
  }

  /** `GET /_ping` without a version, as clients ask for the API version and the engine's kind. */
  async ping(): Promise<Record<string, string>> {
    const response = await this.exchange({ method: "HEAD", path: "/_ping", headers: this.commonHeaders() });
    await readText(response.body); // the connection is free again
    return response.headers;
  }

  /** Lowers the API version to the engine's where that is older. Used before requests that cannot be repeated. */
  async negotiate(): Promise<void> {
    if (!this.negotiable) return;
    this.negotiable = false;
    const offered = (await this.ping())["api-version"];
    if (offered && isOlder(offered, this.version)) this.version = offered;
  }

  close(): void {
    for (const { connection } of this.idle.splice(0)) connection.close();
    void this.early?.then((line) => line?.connection.close());
    this.early = undefined;
  }

  /** After "client version is too new": true if the request may go out again with the version the engine offers. */
  private adapts(error: ApiError): boolean {
    if (!this.negotiable || error.status !== 400) return false;
    const match = /client version \S+ is too new\. Maximum supported API version is (\d+\.\d+)/.exec(
      error.sentence,
    );
    if (!match?.[1]) return false;
    this.negotiable = false;
    this.version = match[1];
    return true;
  }

  private async attempt(method: string, path: string, options: RequestOptions): Promise<HttpResponse> {
    if (options.body && !(options.body instanceof Uint8Array)) await this.negotiate();
    return this.exchange(this.build(method, path, options), options.signal);
  }

  private async exchange(request: HttpRequest, signal?: AbortSignal): Promise<HttpResponse> {
    if (this.options.exchange) return this.options.exchange(request, signal);
    const pooled = this.idle.pop();
    if (pooled) {
      try {
        return await this.over(pooled, request, signal);
      } catch (error) {
        pooled.connection.close();
        // The engine may drop an idle connection at any moment: only what cannot be repeated is lost by it.
        if (error instanceof ApiError || typeof request.body === "object") throw error;
      }
    }
    return this.over(await this.dial(), request, signal);
  }

  private async over(line: Line, request: HttpRequest, signal?: AbortSignal): Promise<HttpResponse> {
    const abort = (): void => line.connection.close();
    signal?.addEventListener("abort", abort, { once: true });
    const sending = send(line.connection, request, this.hostHeader());
    // An engine may refuse a long body before it has read all of it: its answer matters more than the write error.
    const sent = sending.then(
      () => true,
      (error: unknown) => {
        // the engine waits for the rest, and would for ever
        if (error instanceof SourceFailed) line.connection.close();
        return false;
      },
    );
    const response = await receive(line.reader, request.method).catch(async (error) => {
      await sending.catch((failed: unknown) => {
        throw told(request, failed);
      });
      throw told(request, error);
    });
    const complete =
      typeof request.body === "object" ? await Promise.race([sent, Promise.resolve(false)]) : true;
    return { ...response, body: this.returning(line, response, complete) };
  }

  /** The body, after which the connection goes back to the idle ones, or is closed when it was not read to the end. */
  private async *returning(
    line: Line,
    response: HttpResponse,
    complete: boolean,
  ): AsyncGenerator<Uint8Array> {
    let whole = false;
    try {
      yield* response.body;
      whole = true;
    } finally {
      if (whole && complete && response.keepAlive) this.idle.push(line);
      else line.connection.close();
    }
  }

  private build(method: string, path: string, options: RequestOptions): HttpRequest {
    const headers: Record<string, string> = { ...this.commonHeaders(), ...options.headers };
    const request: HttpRequest = {
      method,
      path: `${this.basePath()}/v${this.version}${path}${queryString(options.query)}`,
      headers,
    };
    if (options.json !== undefined) {
      headers["Content-Type"] = "application/json";
      request.body = JSON.stringify(options.json);
    } else if (options.body) {
      headers["Content-Type"] = options.contentType ?? "application/x-tar";
      request.body = options.body;
    }
    return request;
  }

  private commonHeaders(): Record<string, string> {
    return { "User-Agent": this.options.userAgent ?? "berth", ...this.options.headers };
  }

  private hostHeader(): string {
    return this.host.kind === "tcp" ? `${this.host.hostname}:${this.host.port}` : "localhost";
  }

  private basePath(): string {
    return this.host.kind === "tcp" ? this.host.basePath : "";
  }

  private async dial(): Promise<Line> {
    const { early } = this;
    this.early = undefined;
    const line = await early;
    if (line) return line;
    for (;;) {
      try {
        return lineOf(await this.open());
      } catch (error) {
        const start = this.options.onUnreachable;
        if (!start || this.triedToStart) throw connectionError(this.host.url, error);
        this.triedToStart = true;
        if (!(await start())) throw connectionError(this.host.url, error);
      }
    }
  }

  private async open(): Promise<Connection> {
    const { host } = this;
    if (this.options.exchange) throw new Error("this client has no connection to hand over");
    if (host.kind === "ssh") return (await import("./ssh.ts")).openSsh(host);
    if (host.kind === "unix") {
      const blocking = this.options.blocking && new TextEncoder().encode(host.path).length <= unixPathMax;
      return blocking ? new BlockingConnection(host.path) : SocketConnection.open({ unix: host.path });
    }
    const target: SocketTarget = { hostname: host.hostname, port: host.port };
    return SocketConnection.open(
      host.tls ? { ...target, tls: { serverName: host.hostname, ...this.options.tls } } : target,
    );
  }
}

/** Docker's client tells what it asked for where ssh failed; the host's name is not ssh's there. */
const told = ({ method, path }: HttpRequest, error: unknown): unknown =>
  error instanceof SshEnded
    ? new ConnectionError(
        `error during connect: ${method[0] ?? ""}${method.slice(1).toLowerCase()} "http://docker.example.com${path}": ${error.message}`,
        { cause: error },
      )
    : error;

const lineOf = (connection: Connection): Line => ({ connection, reader: new Reader(connection) });

function hijacked({ connection, reader }: Line, response: HttpResponse): HijackedStream {
  const raw: Connection = {
    read: () => reader.chunk(),
    write: (bytes) => connection.write(bytes),
    closeWrite: () => connection.closeWrite(),
    close: () => connection.close(),
  };
  return { connection: raw, contentType: response.headers["content-type"] ?? "" };
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [otherMajor = 0, otherMinor = 0] = than.split(".").map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
