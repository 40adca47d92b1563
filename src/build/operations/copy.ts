import { EngineError, isKind, messageOf } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { withoutPassword } from "../../lib/net/url-password.ts";
import { type Checkout, checkOut, needsKey } from "../contexts/git.ts";
import { WebFailure } from "../contexts/web.ts";
import type { Seen } from "../copy/contents/tally.ts";
import type { CopyInput, CopyResult, TreeRequest } from "../copy/worker/requests.ts";
import { stoppedBy } from "../copy/worker/stop.ts";
import type { GitSource } from "../dockerfile/apply/git-source.ts";
import { UnplacedError } from "../failure.ts";
import type { CopyOperation, CopySource, TreeSource } from "../graph/operation.ts";
import type { Vertex } from "../graph/vertex.ts";
import { LostCache } from "../remote-cache/imports.ts";
import type { Session } from "../solver/session.ts";
import type { StepResult } from "../solver/shared-steps.ts";
import { download } from "./download.ts";
import { commitLayer, upperOf } from "./layer.ts";
import { digestOfLayers, type LayersFilter } from "./layer-digests.ts";
import { isImage, missingInImage, refuseNul } from "./mounts/missing-source.ts";
import { baseParts, type Outcome, type Plan } from "./plan.ts";
import { classicOwnerIn, ownerIn } from "./user.ts";

/** A source whose content is known: what the key says of it, and what the copy takes. */
interface Ready {
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

type ResultOf = (vertex: Vertex | undefined) => Outcome;

/** COPY and ADD. The key is made of contents, so they are read first; see `build/copy/contents/digest.ts` for how cheaply. */
export async function planCopy(
  session: Session,
  vertex: Vertex,
  operation: CopyOperation,
  resultOf: ResultOf,
): Promise<Plan> {
  refuseNul(operation.destination);
  const base = resultOf(operation.base);
  const sources = await allReady(session, operation, resultOf);
  const digests = sources.map(({ digest }) => digest);
  const parts = copyParts(vertex, operation, base, digests);
  if (keepsOwners(session, operation)) parts["owners of archives"] = "their own";
  const label = session.request.classic ? { sources: labelOf(sources) } : {};
  return {
    kind: "copy",
    parts,
    family: `copy ${JSON.stringify([namesOf(operation), operation.destination])}`,
    files: sources.filter(({ listed }) => listed).map(({ digest }) => digest),
    ...label,
    run: async (output, signal) => {
      const { result, sum } = await run(session, vertex, operation, { base, sources, signal });
      const isSame = sum !== undefined && sources[0]?.seen?.sum === sum;
      if (isSame || !(await hasChanged(session, operation, sources, { resultOf, signal }))) return result;
      await output(2, Buffer.from(`WARNING: ${changedSentence(operation)}\n`));
      return { ...result, isUnkeyed: true };
    },
  };
}

/** Of several that fail the last is told, which is the one that BuildKit mostly comes to first. */
async function allReady(session: Session, operation: CopyOperation, resultOf: ResultOf): Promise<Ready[]> {
  const looking = operation.sources.map((source) => ready(session, operation, source, { resultOf }));
  const results = await Promise.allSettled(looking);
  const failed = results.findLast((result) => result.status === "rejected");
  if (failed !== undefined && !session.request.classic) throw failed.reason;
  return await Promise.all(looking);
}

/** The classic builder gives what it unpacks no other owner, whatever `--chown` says. */
const keepsOwners = ({ request }: Session, { chown, sources }: CopyOperation): boolean =>
  request.classic === true &&
  chown !== "" &&
  sources.some((source) => source.kind === "tree" && source.unpack);

/** What was copied, as the classic builder's history names it: `file:…`, `dir:…`, `multi:…`. */
function labelOf(sources: readonly Ready[]): string {
  const matches = sources.reduce((total, ready) => total + ready.matches, 0);
  if (matches === 0) throw noSources();
  const [first] = sources;
  if (matches > 1 || first === undefined)
    return `multi:${hexOf(sha256(sources.map(({ digest }) => digest).join(" ")))}`;
  return `${first.isFolder ? "dir" : "file"}:${hexOf(first.digest)}`;
}

const noSources = (): EngineError => new EngineError("invalid", "no source files were specified");

const hexOf = (digest: string): string => digest.slice("sha256:".length);

const namesOf = ({ sources }: CopyOperation): string =>
  sources
    .map((source) => {
      if (source.kind === "tree") return source.pattern;
      if (source.kind === "url") return source.url;
      return source.kind === "git" ? source.git.remote : source.name;
    })
    .join(" ");

/** `digests`: of what each source names. */
export function copyParts(
  { sourceDateEpoch }: Vertex,
  operation: CopyOperation,
  base: Outcome,
  digests: readonly string[],
): Record<string, string> {
  const { destination, chown, chmod, link, exclude, sources: written } = operation;
  const parts: Record<string, string> = {
    ...baseParts(base),
    sources: namesOf(operation),
    destination,
    owner: chown,
    mode: chmod,
    options: JSON.stringify([
      link,
      exclude,
      written.map((source) => [
        source.kind,
        source.kind === "tree" && source.parents,
        (source.kind === "tree" || source.kind === "url") && source.unpack,
      ]),
    ]),
  };
  for (const [index, digest] of digests.entries()) parts[index === 0 ? "files" : `files.${index}`] = digest;
  if (sourceDateEpoch !== undefined) parts["epoch"] = String(sourceDateEpoch);
  return parts;
}

async function ready(
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

/** As BuildKit puts it. `exclude`: patterns of `--exclude`, one of which may be none. */
export function cacheKeyError(error: unknown, exclude: readonly string[] = []): EngineError {
  const kind = error instanceof EngineError ? error.kind : "internal";
  const isPattern = exclude.length > 0 && kind === "invalid" && /pattern/.test(messageOf(error));
  if (kind !== "notFound" && !isPattern) return new EngineError(kind, messageOf(error), { cause: error });
  const why = `${isPattern ? `invalid excludepatterns: [${exclude.join(" ")}]: ` : ""}${messageOf(error)}`;
  const place = `failed to calculate checksum of ref ${newId().slice(0, 25)}::${newId().slice(0, 25)}`;
  return new EngineError(kind, `failed to compute cache key: ${place}: ${why}`, { cause: error });
}

export interface Tree {
  /** of layers, it is mounted only then: those that are elsewhere come first */
  open: () => Promise<string>;
  ignore: readonly string[];
  /** of a tree that never changes */
  layers: readonly string[] | undefined;
  live: boolean;
}

export async function treeOf(session: Session, from: TreeSource, resultOf: ResultOf): Promise<Tree> {
  if (from.kind === "context") {
    const { root, ignore, live = false } = await session.context(from.name);
    return { open: () => Promise.resolve(root), ignore, layers: undefined, live };
  }
  const { layers } = resultOf(from.vertex);
  return { open: () => session.view(layers), ignore: [], layers, live: false };
}

async function run(
  session: Session,
  { sourceDateEpoch }: Vertex,
  operation: CopyOperation,
  { base, sources, signal }: { base: Outcome; sources: readonly Ready[]; signal: AbortSignal },
): Promise<{ result: StepResult; sum: string | undefined }> {
  const { deps } = session;
  const key = `build-${newId().slice(0, 24)}`;
  const view = base.layers.length === 0 ? undefined : await session.view(base.layers);
  signal.throwIfAborted();
  await deps.snapshots.prepare(key, base.layers);
  let told: CopyResult["told"];
  try {
    const vfs = deps.snapshots.driver === "vfs";
    const upper = upperOf(deps, key);
    const below = vfs ? upper : view;
    const owner = (session.request.classic ? classicOwnerIn : ownerIn)(view, operation.chown);
    const since = sources[0]?.seen?.since;
    const request = {
      inputs: await Promise.all(sources.map(({ input }) => input())),
      upper,
      ...(below === undefined ? {} : { view: below }),
      destination: operation.destination,
      follow: !operation.link,
      ...owner,
      chowns: operation.chown !== "" && !keepsOwners(session, operation),
      chmod: operation.chmod,
      ...(sourceDateEpoch === undefined ? {} : { latest: sourceDateEpoch }),
      scratch: deps.paths.scratch,
      tell: !vfs,
      plainSize: session.request.classic !== true,
      ...(since === undefined ? {} : { since }),
    };
    const copied = await stoppedBy(signal, (stop) => deps.workers.call("copy", { ...request, stop }));
    told = copied.told;
    signal.throwIfAborted();
  } catch (error) {
    await deps.snapshots.remove(key);
    throw error;
  }
  const { layer, created, bytes } = await commitLayer(session, key, sourceDateEpoch, told?.layer);
  return {
    result: { layer, created, usage: { cpuMs: 0, peakMemory: 0, bytesAdded: bytes } },
    sum: told?.sum,
  };
}

const changedSentence = (operation: CopyOperation): string =>
  `the build context changed while ${namesOf(operation)} was copied: this build has what was read, the cache does not keep it`;

/** A tree that is read in place may have changed between looking and copying: then the key tells something else. */
async function hasChanged(
  session: Session,
  operation: CopyOperation,
  sources: readonly Ready[],
  // of the step: builds that share it may go on when the one that began it ends
  how: { resultOf: ResultOf; signal: AbortSignal },
): Promise<boolean> {
  for (const [index, source] of operation.sources.entries()) {
    const before = sources[index];
    if (!before?.live) continue;
    const now = await ready(session, operation, source, how).catch((error: unknown) => {
      // what was copied is gone by now
      if (isKind(error, "notFound")) return undefined;
      throw error;
    });
    if (now?.digest !== before.digest) return true;
  }
  return false;
}
