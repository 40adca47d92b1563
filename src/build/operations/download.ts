import { mkdir, open, utimes } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { headerTime } from "../contexts/header-time.ts";
import { openWeb, webLimits } from "../contexts/web.ts";
import type { Session } from "../solver/session.ts";

interface Downloaded {
  path: string;
  /** `sha256:…` */
  digest: string;
}

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
  const { headers, body } = await openWeb(url, await webLimits(scratch), session.signal);
  const digest = await save(body, path);
  if (checksum !== undefined && checksum !== digest)
    throw new EngineError("invalid", `digest mismatch ${digest}: ${checksum}`);
  const time = headerTime(headers.get("last-modified") ?? "") ?? new Date(0);
  await utimes(path, time, time);
  return { path, digest };
}

async function save(body: AsyncIterable<Uint8Array>, path: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const file = await open(path, "wx", 0o600);
  try {
    for await (const bytes of body) {
      hash.update(bytes);
      await file.writeFile(bytes);
    }
  } finally {
    await file.close();
  }
  return `sha256:${hash.digest("hex")}`;
}
