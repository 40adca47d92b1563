import { EngineError, isKind, messageOf } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { withoutPassword } from "../../lib/net/url-password.ts";
import { type Checkout, checkOut, needsKey } from "../contexts/git.ts";
import { WebFailure } from "../contexts/web.ts";
import type { Seen } from "../copy/contents/tally.ts";
import type { CopyInput, TreeRequest } from "../copy/worker/requests.ts";
import { stoppedBy } from "../copy/worker/stop.ts";
import type { GitSource } from "../dockerfile/apply/git-source.ts";
import { UnplacedError } from "../failure.ts";
import type { CopyOperation, CopySource } from "../graph/operation.ts";
import { LostCache } from "../remote-cache/imports.ts";
import type { Session } from "../solver/session.ts";
import { download } from "./download.ts";
import { digestOfLayers, type LayersFilter } from "./layer-digests.ts";
import { isImage, missingInImage } from "./mounts/missing-source.ts";
import type { ResultOf } from "./plan.ts";
import { cacheKeyError, treeOf } from "./source-tree.ts";

/** A source whose content is known: what the key says of it, and what the copy takes. */
export interface Ready {
  digest: string;
  matches: number;
  /** it is one folder */
  isFolder: boolean;
  /** whether `digest` has a list of files beside it */
  listed: boolean;
  input: () => CopyInput | Promise<CopyInput>;
  /** the tree may change while it is read */
  live: boolean;
  /** what was seen of a tree */
  seen?: Seen;
}

/** Of several that fail the last is told, which is the one that BuildKit mostly comes to first. */
export async function allReady(
  session: Session,
  operation: CopyOperation,
  resultOf: ResultOf,
): Promise<Ready[]> {
  const looking = operation.sources.map((source) => ready(session, operation, source, { resultOf }));
  const results = await Promise.allSettled(looking);
  const failed = results.findLast((result) => result.status === "rejected");
  if (failed !== undefined && !session.request.classic) throw failed.reason;
  return await Promise.all(looking);
}

export async function ready(
  session: Session,
  operation: CopyOperation,
  source: CopySource,
  { resultOf, signal = session.signal }: { resultOf: ResultOf; signal?: AbortSignal },
): Promise<Ready> {
  if (source.kind === "tree") return await readyTree(session, operation, source, { resultOf, signal });
  if (source.kind === "inline") {
    const { name, content } = source;
    return {
      digest: sha256(JSON.stringify([name, content])),
      matches: 1,
      isFolder: false,
      listed: false,
      input: () => ({ kind: "text", name, content }),
      live: false,
    };
  }
  return source.kind === "url" ? await readyUrl(session, source) : await readyGit(session, operation, source);
}

async function readyUrl(
  session: Session,
  { url, filename, checksum, unpack }: CopySource & { kind: "url" },
): Promise<Ready> {
  const { path, digest } = await download(session, url, checksum).catch((error: unknown) => {
    throw error instanceof WebFailure && !session.request.classic
      ? new UnplacedError(error.kind, `failed to load cache key: ${error.message}`, { cause: error })
      : error;
  });
  session.materials.push({ uri: withoutPassword(url), digest: { sha256: digest.replace(/^sha256:/, "") } });
  const input = { kind: "file", path, name: filename, mode: 0o600, unpack } as const;
  return {
    digest: sha256(JSON.stringify([digest, filename])),
    matches: 1,
    isFolder: false,
    listed: false,
    input: () => input,
    live: false,
  };
}

async function readyGit(
  session: Session,
  { exclude }: CopyOperation,
  { git }: CopySource & { kind: "git" },
): Promise<Ready> {
  const { folder, commit } = await fetched(session, git);
  session.discard(folder);
  session.materials.push({ uri: withoutPassword(git.remote), digest: { sha1: commit } });
  const ignore = git.keepGitDir ? [] : [".git"];
  const pattern = git.subdir === "" ? "/" : git.subdir;
  const tree: TreeRequest = { root: folder, patterns: [pattern], ignore, exclude, parents: false };
  return {
    digest: sha256(JSON.stringify([commit, git.subdir, git.keepGitDir])),
    matches: 1,
    isFolder: true,
    listed: false,
    input: () => ({ kind: "tree", tree, unpack: false }),
    live: false,
  };
}

/** A Dockerfile has no right to the keys of the engine's user: what needs one takes it from the client's agent. */
async function fetched(session: Session, git: GitSource): Promise<Checkout> {
  const { request, deps, signal } = session;
  if (request.classic || !needsKey(git.remote)) return await checkOut(git, deps.paths.scratch, signal);
  const agent = await request.ssh.open("default");
  if (agent === undefined) throw new UnplacedError("invalid", "unset ssh forward key default");
  try {
    return await checkOut(git, deps.paths.scratch, signal, agent.path);
  } finally {
    await agent.close();
  }
}

/** In the classic builder's words. */
export const noSources = (): EngineError => new EngineError("invalid", "no source files were specified");

type TreeOfCopy = CopySource & { kind: "tree" };

/** What a COPY takes of a tree, and tells of it. */
export const filterOf = (
  { exclude, chown }: CopyOperation,
  { tree, pattern, parents }: TreeOfCopy,
  ignore: readonly string[],
): LayersFilter => ({
  patterns: [pattern],
  ignore,
  exclude,
  parents,
  owners: tree.kind !== "context" && chown === "",
  attributes: tree.kind !== "context",
});

async function readyTree(
  session: Session,
  operation: CopyOperation,
  source: TreeOfCopy,
  { resultOf, signal }: { resultOf: ResultOf; signal: AbortSignal },
): Promise<Ready> {
  const { open, ignore, layers, live } = await treeOf(session, source.tree, resultOf);
  const { unpack } = source;
  const filter = filterOf(operation, source, ignore);
  const { paths, workers } = session.deps;
  try {
    if (layers !== undefined) {
      const { digest, matches, isFolder } = await digestOfLayers(session, layers, { ...filter, open });
      const input = async (): Promise<CopyInput> => treeInput(await open());
      return { digest, matches, isFolder, listed: true, input, live: false };
    }
    const root = await open();
    const tree: TreeRequest = { root, ...filter };
    const input = (): CopyInput => treeInput(root);
    const { digest, matches, isFolder, seen } = await stoppedBy(signal, (stop) =>
      workers.call("digest", { ...tree, ...session.statCacheOf(root), lists: paths.lists, stop }),
    );
    return { digest, matches, isFolder, listed: true, input, live, seen };
  } catch (error) {
    if (error instanceof LostCache) throw error;
    if (session.request.classic && /^lstat .*: no such file or directory$/.test(messageOf(error)))
      throw noSources();
    if (isKind(error, "notFound") && isImage(source.tree)) throw missingInImage(source.pattern);
    throw cacheKeyError(error, operation.exclude);
  }
  function treeInput(root: string): CopyInput {
    return { kind: "tree", tree: { root, ...filter }, unpack };
  }
}
