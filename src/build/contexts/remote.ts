import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, wrap } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { withoutPassword } from "../../lib/net/url-password.ts";
import type { UnpackedContext } from "../contract.ts";
import type { BuildContextDeps } from "../deps.ts";
import { parseGit } from "../dockerfile/apply/git-source.ts";
import { folderWithin } from "./folder.ts";
import { checkOut } from "./git.ts";
import { unpackContext } from "./unpack.ts";
import { openWeb, WebFailure, webLimits } from "./web.ts";

const dockerfileMax = 16 << 20;

/** `remote=`: a git repository, or a URL of a tar or of a Dockerfile alone. */
export async function remoteContext(
  deps: BuildContextDeps,
  url: string,
  signal: AbortSignal,
  agent?: string,
): Promise<UnpackedContext> {
  const git = parseGit(url);
  if (git === undefined) return await fromUrl(deps, url, signal);
  const keepGitDir = git.keepGitDir ?? false;
  const { folder } = await checkOut({ ...git, keepGitDir }, deps.paths.scratch, signal, agent);
  const close = async (): Promise<void> => void (await deps.workers.call("removeTree", { path: folder }));
  try {
    // its configuration has the remote's address, perhaps with a password: no step may copy that into the image
    if (!keepGitDir) await deps.workers.call("removeTree", { path: join(folder, ".git") });
    const root = folderWithin(folder, git.subdir);
    await checkSubfolder(root, git.subdir);
    return { root, close };
  } catch (error) {
    await close();
    if (error instanceof EngineError)
      throw new EngineError(error.kind, error.message.replaceAll(`${folder}/`, ""), { cause: error });
    throw error;
  }
}

/** With BuildKit's words. */
async function checkSubfolder(root: string, subdir: string): Promise<void> {
  const found = await stat(root).catch(() => undefined); // whatever hides it, there is nothing to build from
  if (found?.isDirectory()) return;
  const why = found === undefined ? "no such file or directory" : "not a directory";
  throw new EngineError("invalid", `failed to open subdir ${subdir}: ${why}`);
}

async function fromUrl(deps: BuildContextDeps, url: string, signal: AbortSignal): Promise<UnpackedContext> {
  if (!/^https?:\/\//.test(url))
    throw new EngineError("internal", `remoteURL (${withoutPassword(url)}) could not be recognized as URL`);
  const { scratch } = deps.paths;
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  try {
    const { headers, body } = await openWeb(url, await webLimits(scratch), signal);
    const { first, all } = await begun(body);
    const type = headers.get("content-type") ?? "";
    const isText =
      type === "" || type.startsWith("application/octet-stream")
        ? isPlain(first)
        : type.startsWith("text/plain");
    return isText ? await dockerfileAlone(deps, all) : await unpackContext(deps, all, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw wrap(`error downloading remote context ${withoutPassword(url)}`, error);
  }
}

/** A download that failed, as BuildKit says it; the classic builder's words are those of `remoteContext`. */
export function contextFailure(error: unknown): unknown {
  const web = error instanceof EngineError ? error.cause : undefined;
  return web instanceof WebFailure
    ? wrap("failed to read downloaded context: failed to load cache key", web)
    : error;
}

/** The first piece, and all of them. */
async function begun(
  body: AsyncIterable<Uint8Array>,
): Promise<{ first: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const pieces = body[Symbol.asyncIterator]();
  const { value, done } = await pieces.next();
  const first = done ? new Uint8Array() : value;
  async function* all(): AsyncGenerator<Uint8Array> {
    yield first;
    yield* { [Symbol.asyncIterator]: () => pieces };
  }
  return { first, all: all() };
}

/** Neither a tar nor packed: what a server calls bytes may be a Dockerfile. */
const isPlain = (start: Uint8Array): boolean =>
  start.length > 0 && start.subarray(0, 512).every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));

async function dockerfileAlone(
  { paths, workers }: BuildContextDeps,
  body: AsyncIterable<Uint8Array>,
): Promise<UnpackedContext> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of body) {
    length += bytes.length;
    if (length > dockerfileMax) throw new EngineError("tooLarge", "the Dockerfile is too large");
    pieces.push(bytes);
  }
  const root = join(paths.scratch, `context-${newId().slice(0, 24)}`);
  await mkdir(root, { recursive: true, mode: 0o700 });
  await writeFile(join(root, "Dockerfile"), Buffer.concat(pieces));
  return { root, close: async () => void (await workers.call("removeTree", { path: root })) };
}
