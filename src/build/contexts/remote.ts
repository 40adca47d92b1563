import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import type { UnpackedContext } from "../contract.ts";
import type { BuildContextDeps } from "../deps.ts";
import { parseGit } from "../dockerfile/git-source.ts";
import { folderWithin } from "./folder.ts";
import { checkOut } from "./git.ts";
import { unpackContext } from "./unpack.ts";

const dockerfileMax = 16 << 20;

/** `remote=`: a git repository, or a URL of a tar or of a Dockerfile alone. */
export async function remoteContext(
  deps: BuildContextDeps,
  url: string,
  signal: AbortSignal,
): Promise<UnpackedContext> {
  const git = parseGit(url);
  if (git === undefined) return await fromUrl(deps, url, signal);
  const keepGitDir = git.keepGitDir ?? false;
  const { folder } = await checkOut({ ...git, keepGitDir }, deps.paths.scratch);
  const close = async (): Promise<void> => void (await deps.workers.call("removeTree", { path: folder }));
  try {
    // its configuration has the remote's address, perhaps with a password: no step may copy that into the image
    if (!keepGitDir) await deps.workers.call("removeTree", { path: join(folder, ".git") });
    return { root: folderWithin(folder, git.subdir), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function fromUrl(deps: BuildContextDeps, url: string, signal: AbortSignal): Promise<UnpackedContext> {
  if (!/^https?:\/\//.test(url))
    throw new EngineError("invalid", `unable to prepare context: ${url} is no URL`);
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    throw new EngineError("unavailable", `error downloading remote context ${url}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (!response.ok)
    throw new EngineError("invalid", `error downloading remote context ${url}: ${response.status}`);
  if (response.body === null) throw new EngineError("invalid", `${url} is empty`);
  if (!(response.headers.get("content-type") ?? "").startsWith("text/plain"))
    return await unpackContext(deps, response.body as AsyncIterable<Uint8Array>, signal);
  return await dockerfileAlone(deps, response.body as AsyncIterable<Uint8Array>);
}

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
