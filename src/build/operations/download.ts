import { mkdir, open, utimes } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import type { Session } from "../solver/session.ts";

export interface Downloaded {
  path: string;
  /** `sha256:…` */
  digest: string;
}

const timeoutMs = 30_000;

/** ADD of a URL: a file of the build's own, with the server's time; gone with the build. */
export async function download(
  session: Session,
  url: string,
  checksum: string | undefined,
): Promise<Downloaded> {
  const { scratch } = session.deps.paths;
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const path = join(scratch, `download-${newId().slice(0, 24)}`);
  session.discard(path);
  const response = await request(url, session.signal);
  const digest = await save(response, path);
  if (checksum !== undefined && checksum !== digest)
    throw new EngineError("invalid", `digest mismatch ${digest}: ${checksum}`);
  const modified = Date.parse(response.headers.get("last-modified") ?? "");
  const time = Number.isNaN(modified) ? new Date(0) : new Date(modified);
  await utimes(path, time, time);
  return { path, digest };
}

async function request(url: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  const begun = new AbortController();
  const timer = setTimeout(() => begun.abort(new Error("it did not answer in time")), timeoutMs);
  try {
    response = await fetch(url, { signal: AbortSignal.any([signal, begun.signal]) });
  } catch (error) {
    signal.throwIfAborted();
    throw new EngineError("unavailable", `failed to load ${url}: ${messageOf(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw new EngineError("invalid", `invalid response status ${response.status}`);
  return response;
}

async function save(response: Response, path: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const file = await open(path, "wx", 0o600);
  try {
    if (response.body !== null)
      for await (const bytes of response.body) {
        hash.update(bytes);
        await file.writeFile(bytes);
      }
  } finally {
    await file.close();
  }
  return `sha256:${hash.digest("hex")}`;
}
