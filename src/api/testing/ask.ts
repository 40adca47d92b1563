import type { Engine } from "../../engine/contract.ts";
import { answer } from "../dispatch.ts";
import type { Reply } from "../reply.ts";
import { Router } from "../router.ts";
import { routes } from "../routes/table.ts";

const router = new Router(routes);

/** One request through the whole API but the wire: `ask(engine, "POST /containers/create", { Image: "x" })`. */
export function ask(
  engine: Engine,
  line: string,
  body?: unknown,
  headers: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" },
): Promise<Reply> {
  const [method = "", url = ""] = [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)];
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const bytes = Buffer.from(text);
  return answer(engine, router, {
    method,
    url,
    headers: { ...(text === "" ? {} : { "content-length": String(bytes.length) }), ...headers },
    body: pieces(bytes),
    signal: () => new AbortController().signal,
    local: true,
  });
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

/** Status and message of an error reply. */
export function told(reply: Reply): { status: number; message: unknown } {
  const message = reply.kind === "json" ? (reply.value as { message?: unknown }).message : undefined;
  return { status: "status" in reply ? reply.status : 0, message };
}
