import { EngineError, messageOf } from "../../lib/errors.ts";
import { readFromWorker, sendToWorker, streamOf } from "../../system/workers/worker-stream.ts";
import type { Container } from "../container.ts";
import { type Context, tell } from "../context.ts";
import type { CopyLocal, ExtractArchive, PathStat } from "../contract.ts";
import { userIn } from "../start/user.ts";
import { type HeldView, holdView } from "./view.ts";

/** `HEAD /containers/{id}/archive`; `reference` is what the client called the container. */
export async function statPath(
  ctx: Context,
  container: Container,
  reference: string,
  path: string,
): Promise<PathStat> {
  const { view, release } = await holdView(ctx, container);
  try {
    return await ctx.archives.call("stat", { ...view, path });
  } catch (error) {
    throw asNotFound(error, reference, path);
  } finally {
    release();
  }
}

/** `GET /containers/{id}/archive`: the path is known to be there when this resolves. */
export async function getArchive(
  ctx: Context,
  container: Container,
  reference: string,
  path: string,
): Promise<{ stat: PathStat; tar: ReadableStream<Uint8Array> }> {
  const held = await holdView(ctx, container, { copying: { path, reading: true } });
  try {
    const session = ctx.archives.nextSession();
    const stat = await ctx.archives.call("pack", { session, request: { ...held.view, path } });
    tell(ctx, container, "archive-path");
    return { stat, tar: packed(ctx, session, held) };
  } catch (error) {
    held.release();
    throw asNotFound(error, reference, path);
  }
}

/** `GET /containers/{id}/export`: the whole root, without what is mounted over it. */
export async function exportRoot(ctx: Context, container: Container): Promise<ReadableStream<Uint8Array>> {
  const held = await holdView(ctx, container, { mounts: false });
  try {
    const session = ctx.archives.nextSession();
    await ctx.archives.call("pack", { session, request: held.view });
    tell(ctx, container, "export");
    return packed(ctx, session, held);
  } catch (error) {
    held.release();
    throw error;
  }
}

function packed(ctx: Context, session: number, { release }: HeldView): ReadableStream<Uint8Array> {
  const bytes = readFromWorker({
    read: () => ctx.archives.call("read", { session }),
    readEnd: async () => {
      try {
        await ctx.archives.call("readEnd", { session });
      } finally {
        release();
      }
    },
  });
  return streamOf(bytes);
}

/** `PUT /containers/{id}/archive`: resolves when all of it is extracted. */
export async function putArchive(
  ctx: Context,
  container: Container,
  reference: string,
  { path, noOverwriteDirNonDir, copyUidGid, source, signal }: ExtractArchive,
): Promise<void> {
  const { view, volumes, release } = await holdView(ctx, container, { copying: { path, reading: false } });
  try {
    const owner = copyUidGid ? ownerOf(container, view.root) : undefined;
    const session = ctx.archives.nextSession();
    const options = { noOverwriteDirNonDir, ...(owner === undefined ? {} : { owner }) };
    const request = { ...view, path, options, volumes };
    const calls = {
      memory: "shared" as const,
      feed: (bytes: Uint8Array) => ctx.archives.call("feed", { session, bytes }),
      feedEnd: (error?: string) =>
        ctx.archives.call("feedEnd", { session, ...(error === undefined ? {} : { error }) }),
    };
    const done = ctx.archives.call("extract", { session, request });
    await sendToWorker(calls, done, source, signal === undefined ? {} : { signal });
    tell(ctx, container, "extract-to-dir");
  } catch (error) {
    throw asNotFound(error, reference, path);
  } finally {
    release();
  }
}

/** What `putArchive` does, of files that the engine reads itself: our own. Resolves with the size of their archive. */
export async function copyLocal(
  ctx: Context,
  container: Container,
  reference: string,
  { path, noOverwriteDirNonDir, copyUidGid, source, signal }: CopyLocal,
): Promise<{ bytes: number }> {
  const { view, volumes, release } = await holdView(ctx, container, { copying: { path, reading: false } });
  const session = ctx.archives.nextSession();
  const cancel = (): void =>
    ctx.background.run("cancel a copy", () => ctx.archives.call("cancelCopy", { session }));
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    const owner = copyUidGid ? ownerOf(container, view.root) : undefined;
    const options = { noOverwriteDirNonDir, ...(owner === undefined ? {} : { owner }) };
    const request = { ...view, path, options, volumes };
    const copied = await ctx.archives.call("copyLocal", { session, request, source });
    tell(ctx, container, "extract-to-dir");
    return copied;
  } catch (error) {
    throw asNotFound(error, reference, path);
  } finally {
    signal?.removeEventListener("abort", cancel);
    release();
  }
}

/** The container's own user, whom copied files are to belong to; with none, the archive's owners stay. */
function ownerOf({ spec }: Container, root: string): { uid: number; gid: number } | undefined {
  const user = spec.config.User;
  if (user === "") return undefined;
  try {
    const { uid, gid } = userIn(root, user, []);
    return { uid, gid };
  } catch (error) {
    const why = messageOf(error).replace(/^unable to find (user|group) .*?: /, "");
    const sentence = `failed to look up user ${JSON.stringify(user)} in container: ${why}`;
    throw new EngineError("invalid", sentence, { cause: error });
  }
}

/** Docker tells whatever is missing on the way as the file itself. */
function asNotFound(error: unknown, reference: string, path: string): unknown {
  if ((error as { code?: unknown }).code !== "ENOENT") return error;
  const sentence = `Could not find the file ${path} in container ${reference}`;
  return new EngineError("notFound", sentence, { cause: error });
}
