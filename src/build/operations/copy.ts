import { isKind } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { sha256 } from "../../lib/image/digest.ts";
import type { CopyResult } from "../copy/worker/requests.ts";
import { stoppedBy } from "../copy/worker/stop.ts";
import type { CopyOperation } from "../graph/operation.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Session } from "../solver/session.ts";
import type { StepResult } from "../solver/shared-steps.ts";
import { allReady, noSources, type Ready, ready } from "./copy-sources.ts";
import { commitLayer, upperOf } from "./layer.ts";
import { refuseNul } from "./mounts/missing-source.ts";
import { baseParts, type Outcome, type Plan, type ResultOf } from "./plan.ts";
import { classicOwnerIn, ownerIn } from "./user.ts";

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
