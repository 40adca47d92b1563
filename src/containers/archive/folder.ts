import { readFromWorker, sendToWorker, streamOf } from "../../system/workers/worker-stream.ts";
import type { Context } from "../context.ts";

/** Files of a folder as a tar, and a tar's into one: a volume's, as they are, whoever has it mounted. */
const viewOf = (root: string) => ({ root, mounts: [], readOnly: false });

/** `release` is called once, when the stream is over or given up. */
export async function packFolder(
  ctx: Context,
  root: string,
  release: () => void,
): Promise<ReadableStream<Uint8Array>> {
  const letGo = ctx.archives.hold();
  const end = (): void => {
    letGo();
    release();
  };
  try {
    const session = ctx.archives.nextSession();
    await ctx.archives.call("pack", { session, request: viewOf(root) });
    const bytes = readFromWorker({
      read: () => ctx.archives.call("read", { session }),
      readEnd: () => ctx.archives.call("readEnd", { session }).finally(end),
    });
    return streamOf(bytes);
  } catch (error) {
    end();
    throw error;
  }
}

/** Owners, modes and times are the archive's; a link in it leads nowhere out of the folder. */
export async function unpackIntoFolder(
  ctx: Context,
  root: string,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const letGo = ctx.archives.hold();
  try {
    const session = ctx.archives.nextSession();
    const calls = {
      memory: "shared" as const,
      feed: (bytes: Uint8Array) => ctx.archives.call("feed", { session, bytes }),
      feedEnd: (error?: string) =>
        ctx.archives.call("feedEnd", { session, ...(error === undefined ? {} : { error }) }),
    };
    const request = { ...viewOf(root), path: "/", options: { noOverwriteDirNonDir: false }, volumes: [] };
    await sendToWorker(calls, ctx.archives.call("extract", { session, request }), source, { signal });
  } finally {
    letGo();
  }
}
