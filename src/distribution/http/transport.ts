import { EngineError } from "../../lib/errors.ts";
import type { DistributionOptions } from "../contract.ts";
import { TransportError } from "../errors.ts";
import { isInsecure } from "../hosts/insecure.ts";
import { leadsToLinkLocal } from "../hosts/link-local.ts";
import { Answer } from "./answer.ts";
import { type TlsFiles, tlsFiles } from "./certificates.ts";
import { transportError } from "./failure.ts";
import { handshakeAlert } from "./handshake.ts";
import { Patience } from "./patience.ts";
import { proxyFor } from "./proxy.ts";

interface HttpRequest {
  method: string;
  url: URL;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | string | AsyncIterable<Uint8Array>;
  signal: AbortSignal;
}

const redirectsMax = 10;
const redirects = new Set([301, 302, 303, 307, 308]);
const secrets = new Set(["authorization", "cookie"]);

/**
 * HTTP as registries need it: certificates and proxies by host, redirects followed by hand. A redirect to another host
 * never gets credentials, nor does one from TLS to plain text. One for each set of options.
 */
export class Transport {
  readonly options: DistributionOptions;

  constructor(options: DistributionOptions) {
    this.options = options;
  }

  async send(request: HttpRequest): Promise<Answer> {
    let { url, method, headers = {} } = request;
    for (let hops = 0; hops <= redirectsMax; hops++) {
      const answer = await this.twice({ ...request, url, method, headers });
      const location = answer.headers.get("location");
      if (!redirects.has(answer.status) || location === null) return answer;
      await answer.discard();
      const next = this.redirected(url, location);
      if (next.origin !== url.origin)
        headers = Object.fromEntries(
          Object.entries(headers).filter(([name]) => !secrets.has(name.toLowerCase())),
        );
      // a form holds a token
      if (isStream(request.body) || (typeof request.body === "string" && next.origin !== url.origin))
        throw new TransportError(`${method} "${url.origin}${url.pathname}": the upload was redirected`);
      if (answer.status === 303) method = "GET";
      url = next;
    }
    throw transportError(request.method, request.url, new Error(`stopped after ${redirectsMax} redirects`));
  }

  private redirected(from: URL, location: string): URL {
    let next: URL;
    try {
      next = new URL(location, from);
    } catch (error) {
      throw transportError("GET", from, error);
    }
    if (next.protocol !== "https:" && next.protocol !== "http:")
      throw transportError("GET", from, new Error(`it redirects to ${next.protocol}, which is not followed`));
    if (leadsToLinkLocal(from, next, this.options.insecureRegistries))
      throw transportError(
        "GET",
        from,
        new Error(`it redirects to the link-local address ${next.host}, which is not followed`),
      );
    if (
      from.protocol === "https:" &&
      next.protocol === "http:" &&
      !isInsecure(next.host, this.options.insecureRegistries)
    )
      throw transportError(
        "GET",
        from,
        new Error(`it redirects to plain http on ${next.host}, which is not an insecure registry`),
      );
    return next;
  }

  /**
   * A connection kept from an earlier request may be closed by the server just when the next is sent on it. What has no
   * body (reads, and openings of uploads, which may be opened twice) is then sent once more, as Go's clients do.
   */
  private async twice(request: HttpRequest): Promise<Answer> {
    try {
      return await this.once(request);
    } catch (error) {
      if (request.body !== undefined || request.signal.aborted || !isReset(error)) throw error;
      return await this.once(request);
    }
  }

  private async once(request: HttpRequest): Promise<Answer> {
    const { url, method, body } = request;
    const tls = await this.tls(url);
    const proxy = proxyFor(url, this.options.proxies);
    const patience = new Patience(
      this.options.stallMs,
      [request.signal],
      `${method} "${url.origin}${url.pathname}"`,
    );
    try {
      const response = await fetch(url, {
        method,
        headers: { "User-Agent": this.options.userAgent, "Accept-Encoding": "identity", ...request.headers },
        redirect: "manual",
        decompress: false,
        signal: patience.signal,
        timeout: false,
        tls,
        ...proxyOption(proxy),
        ...(body === undefined ? {} : { body: isStream(body) ? beating(body, patience) : body }),
      } as RequestInit);
      return new Answer(url, response, patience);
    } catch (error) {
      patience.end();
      const alert =
        proxy === "" && tls.rejectUnauthorized !== false && (error as { code?: unknown }).code === "EPROTO"
          ? await handshakeAlert(url, tls)
          : undefined;
      throw this.told(request, patience, alert === undefined ? error : new Error(alert));
    }
  }

  private told({ method, url, signal }: HttpRequest, patience: Patience, error: unknown): unknown {
    if (signal.aborted) return signal.reason;
    if (patience.signal.aborted) return patience.signal.reason;
    return error instanceof EngineError ? error : transportError(method, url, error);
  }

  private async tls(url: URL): Promise<TlsFiles & { rejectUnauthorized?: boolean }> {
    if (url.protocol !== "https:") return {};
    const files = await tlsFiles(url.host, this.options.certificateFolders);
    return isInsecure(url.host, this.options.insecureRegistries)
      ? { ...files, rejectUnauthorized: false }
      : files;
  }
}

const isReset = (error: unknown): boolean => {
  const code = (error as { cause?: { code?: unknown } }).cause?.code;
  return error instanceof TransportError && (code === "ECONNRESET" || code === "EPIPE");
};

const isStream = (body: HttpRequest["body"]): body is AsyncIterable<Uint8Array> =>
  typeof body === "object" && !(body instanceof Uint8Array);

const proxyOption = (proxy: string): { proxy?: string } => (proxy === "" ? {} : { proxy });

/** An upload that is being read moves. */
async function* beating(body: AsyncIterable<Uint8Array>, patience: Patience): AsyncGenerator<Uint8Array> {
  patience.pause();
  for await (const bytes of body) {
    patience.beat();
    yield bytes;
    patience.pause();
  }
  patience.beat();
}
