import type { Engine } from "../../engine/contract.ts";
import { answer } from "../dispatch.ts";
import type { ByteSource, Reply } from "../reply.ts";
import type { Router } from "../router.ts";
import { jsonText } from "../send.ts";

/** A request as the client's code makes it. */
export interface InnerRequest {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

export interface InnerResponse {
  status: number;
  headers: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
  keepAlive: boolean;
}

/** One request through the whole of the API but the wire. `signal` aborts when the command's caller is gone. */
export async function exchange(
  engine: Engine,
  router: Router,
  { method, path, headers = {}, body }: InnerRequest,
  signal: AbortSignal,
): Promise<InnerResponse> {
  if (body !== undefined && typeof body !== "string")
    throw new Error(`${method} ${path}: a hosted command sends no streams`);
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const named: Record<string, string> = { host: "localhost" };
  for (const name in headers) named[name.toLowerCase()] = headers[name] ?? "";
  if (bytes) named["content-length"] = String(bytes.length);
  const reply = await answer(engine, router, {
    method,
    url: path,
    headers: named,
    body: once(bytes),
    signal: () => signal,
    local: true,
  });
  return responseOf(reply);
}

function responseOf(reply: Reply): InnerResponse {
  switch (reply.kind) {
    case "json":
      return response(reply.status, "application/json", once(Buffer.from(jsonText(reply.value))));
    case "later":
      return response(reply.status, "application/json", later(reply.value));
    case "text":
      return response(reply.status, reply.contentType, once(Buffer.from(reply.text)));
    case "stream":
      return response(reply.status, reply.contentType, bytesOf(reply.body));
    case "empty":
      return response(reply.status, "", once());
    default:
      throw new Error(`a hosted command got a connection (${reply.kind})`);
  }
}

const response = (status: number, type: string, body: AsyncIterable<Uint8Array>): InnerResponse => ({
  status,
  headers: type === "" ? {} : { "content-type": type },
  body,
  keepAlive: true,
});

async function* once(bytes?: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes) yield bytes;
}

async function* later(value: Promise<unknown>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(jsonText(await value));
}

async function* bytesOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for await (const piece of source) yield typeof piece === "string" ? Buffer.from(piece) : piece;
}
