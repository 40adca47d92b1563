import { failureReason } from "../../distribution/http/failure.ts";
import { EngineError, type ErrorKind, messageOf } from "../../lib/errors.ts";

/** What `import` reads from a URL. */
interface ImportSource {
  /** where it was found, after redirects */
  url: string;
  /** as the server told it; 0 where it did not */
  size: number;
  bytes: AsyncIterable<Uint8Array>;
}

interface ImportSourceOptions {
  signal?: AbortSignal;
  /** how long the server may take to answer, and to send the next bytes */
  idleTimeoutMs?: number;
}

const redirectsMax = 10;
const idleTimeoutMsDefault = 60_000;
const errorTextMax = 1024;

/**
 * Opens the `fromSrc` of an import: http or https, at most ten redirects, and no silence longer than a minute. The size
 * is bounded by what unpacks it. Docker's sentences.
 */
export async function openImportSource(
  from: string,
  options: ImportSourceOptions = {},
): Promise<ImportSource> {
  const watch = new Watch(options);
  try {
    const { response, url } = await follow(firstUrl(from), watch);
    if (!response.ok || !response.body) throw await refusal(response, url);
    const size = Number(response.headers.get("content-length") ?? 0);
    return { url, size: Number.isSafeInteger(size) ? size : 0, bytes: watched(response.body, watch) };
  } catch (error) {
    watch.end();
    throw error;
  }
}

/** Without a scheme it is http. */
function firstUrl(from: string): string {
  if (from === "") throw new EngineError("internal", 'Get "http:": http: no Host in request URL');
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(from) ? from : `http://${from}`;
}

async function follow(first: string, watch: Watch): Promise<{ response: Response; url: string }> {
  let url = first;
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const response = await get(url, watch);
    const next = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || next === null) return { response, url };
    await response.body?.cancel();
    url = new URL(next, url).href;
  }
  throw new EngineError("internal", `Get "${url}": stopped after ${redirectsMax} redirects`);
}

async function get(url: string, watch: Watch): Promise<Response> {
  const parsed = URL.parse(url);
  if (!parsed)
    throw new EngineError("internal", `Get "${url.replace(/\/\/$/, "")}": http: no Host in request URL`);
  const { protocol } = parsed;
  if (protocol !== "http:" && protocol !== "https:")
    throw new EngineError(
      "internal",
      `Get "${url}": unsupported protocol scheme ${JSON.stringify(protocol.slice(0, -1))}`,
    );
  watch.heard();
  try {
    return await fetch(url, { redirect: "manual", signal: watch.signal });
  } catch (error) {
    const { aborted, reason } = watch.signal;
    const why = aborted ? messageOf(reason) : failureReason(parsed, error);
    throw new EngineError("internal", `Get "${url}": ${why}`, { cause: error });
  }
}

/** What the engine answers for a server's status. */
const kinds: ReadonlyMap<number, ErrorKind> = new Map([
  [400, "invalid"],
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "notFound"],
]);

async function refusal(response: Response, url: string): Promise<EngineError> {
  let text = "";
  for await (const bytes of response.body ?? []) {
    text += Buffer.from(bytes).toString("utf8");
    if (text.length >= errorTextMax) break;
  }
  const status = `${response.status} ${response.statusText}`.trim();
  return new EngineError(
    kinds.get(response.status) ?? "internal",
    `failed to GET ${url} with status ${status}: ${text.slice(0, errorTextMax).trim()}`,
  );
}

async function* watched(body: ReadableStream<Uint8Array>, watch: Watch): AsyncGenerator<Uint8Array> {
  try {
    for await (const bytes of body) {
      watch.pause(); // the time its reader takes is not the server's
      yield bytes;
      watch.heard();
    }
  } catch (error) {
    if (watch.signal.aborted) throw watch.signal.reason;
    throw new EngineError("internal", `the download broke off: ${messageOf(error)}`, { cause: error });
  } finally {
    watch.end();
  }
}

/** Ends the transfer when the caller gives up or the server falls silent. */
class Watch {
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly idleTimeoutMs: number;
  private readonly outer: AbortSignal | undefined;
  private readonly onAbort = (): void => this.controller.abort(this.outer?.reason);
  private timer: Timer | undefined;

  constructor({ signal, idleTimeoutMs = idleTimeoutMsDefault }: ImportSourceOptions) {
    this.signal = this.controller.signal;
    this.idleTimeoutMs = idleTimeoutMs;
    this.outer = signal;
    signal?.addEventListener("abort", this.onAbort);
    if (signal?.aborted) this.onAbort();
  }

  heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const sentence = `the server sent nothing for ${Math.round(this.idleTimeoutMs / 1000)} seconds`;
      this.controller.abort(new EngineError("unavailable", sentence));
    }, this.idleTimeoutMs);
  }

  pause(): void {
    clearTimeout(this.timer);
  }

  end(): void {
    this.pause();
    this.outer?.removeEventListener("abort", this.onAbort);
  }
}
