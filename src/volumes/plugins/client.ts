import { readFile } from "node:fs/promises";
import { EngineError, messageOf } from "../../lib/errors.ts";
import type { PluginAddress } from "./discovery.ts";

const contentType = "application/vnd.docker.plugins.v1.2+json";
const replySizeMax = 4 * 1024 * 1024;

interface CallOptions {
  timeoutMs: number;
}

/** One plugin's HTTP: every call is a POST of JSON, every reply JSON, and `Err` in it a failure. */
export class PluginClient {
  readonly address: PluginAddress;
  private readonly options: Promise<object>;
  private readonly base: string;

  constructor(address: PluginAddress) {
    this.address = address;
    const { url, tls } = address;
    const [scheme = "", rest = ""] = url.split("://");
    if (rest === "" || !["unix", "tcp", "http", "https"].includes(scheme))
      throw new EngineError("internal", `plugin ${address.name} has an address that is none: ${url}`);
    this.base =
      scheme === "unix" ? "http://plugin" : `${tls || scheme === "https" ? "https" : "http"}://${rest}`;
    this.options = scheme === "unix" ? Promise.resolve({ unix: rest }) : tlsOptions(tls);
    this.options.catch(() => undefined); // told by the first call
  }

  /** Throws the plugin's own sentence, with the method before it where the reply's status was a failure too. */
  async call<Reply extends object>(method: string, args: object, { timeoutMs }: CallOptions): Promise<Reply> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.base}/${method}`, {
        method: "POST",
        headers: { Accept: contentType, "Content-Type": contentType },
        body: JSON.stringify(args),
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
        ...(await this.options),
      } as RequestInit);
      text = await boundedText(response);
    } catch (error) {
      const why =
        (error as Error).name === "TimeoutError"
          ? `no answer within ${timeoutMs / 1000} s`
          : messageOf(error);
      throw new EngineError("internal", `plugin ${this.address.name}: ${method}: ${why}`, { cause: error });
    }
    const reply = jsonObject(text);
    const failure = typeof reply?.["Err"] === "string" ? reply["Err"] : "";
    if (response.status !== 200)
      throw new EngineError(
        "internal",
        `${method}: ${failure || text.trim() || `status ${response.status}`}`,
      );
    if (failure) throw new EngineError("internal", failure);
    if (!reply)
      throw new EngineError("internal", `${method}: the reply of plugin ${this.address.name} is no JSON`);
    return reply as Reply;
  }
}

async function tlsOptions(tls: PluginAddress["tls"]): Promise<object> {
  if (!tls) return {};
  const read = async (path: string | undefined) => (path === undefined ? undefined : await readFile(path));
  const [ca, cert, key] = await Promise.all([read(tls.ca), read(tls.cert), read(tls.key)]);
  return {
    tls: {
      rejectUnauthorized: !tls.insecure,
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
    },
  };
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > replySizeMax) throw new Error("the reply is too long");
  }
  return text;
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.trim() === "" ? "{}" : text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // the caller tells it
  }
}
