import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../src/lib/log.ts";
import type { TarEntry } from "../../src/lib/tar/entry.ts";
import { endOfArchive, headerOf, padding, tarEntry } from "../../src/lib/tar/writer.ts";
import type { Snapshots } from "../../src/snapshots/contract.ts";
import { openSnapshots } from "../../src/snapshots/open.ts";
import { State } from "../../src/state/database.ts";

export type Piece = Pick<TarEntry, "type" | "name"> &
  Partial<Omit<TarEntry, "type" | "name">> & { content?: string };

/** A tar of these entries, as bytes. */
export function tarOf(pieces: readonly Piece[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const { content = "", ...entry } of pieces) {
    const size = entry.size ?? content.length;
    parts.push(
      headerOf(tarEntry({ ...entry, size })),
      Buffer.from(content, "latin1"),
      padding(content.length),
    );
  }
  return Buffer.concat([...parts, endOfArchive]);
}

export async function* streamOf(bytes: Uint8Array, chunk = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
}

export const digestOf = (bytes: Uint8Array): string =>
  `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;

export async function collect(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream as unknown as AsyncIterable<Uint8Array>) parts.push(part);
  return Buffer.concat(parts);
}

export interface TestRoot extends AsyncDisposable {
  path: string;
  state: State;
  snapshots: Snapshots;
}

/** Snapshots over a temporary data root, which goes with it. */
export async function temporarySnapshots(driver: "overlay2" | "vfs"): Promise<TestRoot> {
  const path = mkdtempSync(join(tmpdir(), "berth-snapshots-"));
  const state = State.open(path);
  const snapshots = await openSnapshots({ dataRoot: path, state, logger: silentLogger, driver });
  return {
    path,
    state,
    snapshots,
    async [Symbol.asyncDispose]() {
      for (const key of await snapshots.keys()) await snapshots.remove(key);
      await snapshots.close();
      state.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}
