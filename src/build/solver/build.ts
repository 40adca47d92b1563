import { randomBytes } from "node:crypto";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { formatPlatform, hostArchitecture, isSamePlatform, parsePlatform } from "../../lib/image/platform.ts";
import type { Platform } from "../../types/oci.ts";
import { ClassicBuild } from "../classic/build.ts";
import type { BuildRequest, BuildResult, BuildRun } from "../contract.ts";
import type { BuildContextDeps } from "../deps.ts";
import { ignoredIn } from "../dockerfile/ignored.ts";
import { openLinter, planBuild } from "../dockerfile/stages/plan.ts";
import type { LanguageSettings } from "../dockerfile/stages/settings.ts";
import { recordedProvenance } from "../export/attest/provenance.ts";
import { imageConfig } from "../export/config.ts";
import { exportBuild } from "../export/export.ts";
import type { Material, PlatformResult } from "../export/result.ts";
import { squashed } from "../export/squash.ts";
import { GraphBuilder } from "../graph/build-graph.ts";
import { BuildRecorder } from "../history/record.ts";
import { Sandboxes } from "../operations/sandboxes.ts";
import { LostCache } from "../remote-cache/imports.ts";
import { withInlineCache } from "../remote-cache/inline.ts";
import { checkTargets } from "../remote-cache/places.ts";
import { exportCaches } from "../remote-cache/write.ts";
import { materialOf, resolveBase } from "./base-images.ts";
import { contextNeeds } from "./context-needs.ts";
import { EventQueue } from "./event-queue.ts";
import { Session } from "./session.ts";
import { Solver } from "./solve.ts";
import { refuseUnbuilt } from "./unbuilt.ts";

/** Starts a build at once. */
export function startBuild(deps: BuildContextDeps, request: BuildRequest): BuildRun {
  const ref = request.ref ?? newRef();
  const queue = new EventQueue();
  const result = runWithout(deps, ref, request, queue).finally(() => queue.end());
  result.catch(() => undefined); // whoever awaits it is told
  return { ref, events: queue, result };
}

/** As BuildKit's: 25 characters of a–z and 0–9. */
const newRef = (): string =>
  Array.from(randomBytes(25), (byte) => "abcdefghijklmnopqrstuvwxyz0123456789"[byte % 36]).join("");

/** A cache that was imported and fails is left out of another try, which finds what is done by then in the engine's own. */
async function runWithout(
  deps: BuildContextDeps,
  ref: string,
  request: BuildRequest,
  queue: EventQueue,
): Promise<BuildResult> {
  try {
    return await run(deps, ref, request, queue);
  } catch (error) {
    const lost = lostCacheOf(error);
    if (lost === undefined || request.signal.aborted) throw error;
    deps.logger.warn(lost.message, { build: ref });
    const cacheFrom = request.cacheFrom.filter((place) => place !== lost.place);
    return await runWithout(deps, ref, { ...request, cacheFrom }, queue);
  }
}

function lostCacheOf(error: unknown): LostCache | undefined {
  if (error instanceof LostCache) return error;
  return error instanceof Error && error.cause !== undefined ? lostCacheOf(error.cause) : undefined;
}

async function run(
  deps: BuildContextDeps,
  ref: string,
  request: BuildRequest,
  queue: EventQueue,
): Promise<BuildResult> {
  const own = new AbortController();
  const signal = AbortSignal.any([request.signal, own.signal]);
  const recorder = new BuildRecorder(ref, request);
  deps.history.put(recorder.running());
  const session = new Session({
    recorder,
    ref,
    request: { ...request, signal },
    deps,
    queue,
    lease: deps.leases.open(),
    sandboxes: new Sandboxes(deps.networks, deps.config.remap),
  });
  const solver = new Solver(session);
  try {
    refuseUnbuilt(request);
    checkTargets(request);
    const platforms = platformsOf(request);
    const results = await Promise.all(platforms.map((platform) => build(session, solver, platform)));
    session.signal.throwIfAborted();
    const result = await exportBuild(
      session,
      results.map((each) => withInlineCache(session, each)),
    );
    Object.assign(result.response, await exportCaches(session, results));
    await deps.history.close(recorder.succeeded(result), recorder.logs());
    return { ...result, provenance: provenanceOf(session, results) };
  } catch (error) {
    // the others stop, and what they hold is given back before this one is told
    own.abort(error);
    await solver.settle();
    await deps.history.close(recorder.failed(error, request.signal.aborted), recorder.logs());
    throw error;
  } finally {
    deps.cache.touch(session.used);
    await session.close().catch((error: unknown) => {
      deps.logger.warn("a build did not give back all it used", { build: ref, error: messageOf(error) });
    });
  }
}

/** Of what has any files: nothing was done for the others. */
const provenanceOf = (session: Session, results: readonly PlatformResult[]): Map<string, object> =>
  new Map(
    results
      .filter(({ layers }) => layers.length > 0)
      .map((result) => [result.platform, recordedProvenance(session, result)]),
  );

const hostPlatform: Platform = { os: "linux", architecture: hostArchitecture };

function platformsOf({ platforms }: BuildRequest): Platform[] {
  if (platforms.length === 0) return [hostPlatform];
  const distinct = new Map(platforms.map(parsePlatform).map((each) => [formatPlatform(each), each]));
  return [...distinct.values()];
}

async function build(session: Session, solver: Solver, platform: Platform): Promise<PlatformResult> {
  const { request } = session;
  const bare = settingsOf(request, platform);
  const linter = openLinter(request.dockerfile.text, bare);
  const sourceDateEpoch = epochOf(request);
  const tellWarnings = (): void => {
    for (const warning of linter.untold()) session.emit({ kind: "warning", warning });
  };
  try {
    const settings = { ...bare, ...(await ignoredIn(request, linter)) };
    const materials: Material[] = [];
    const plan = planBuild(request.dockerfile.text, settings, linter);
    tellWarnings();
    const graph = new GraphBuilder({
      plan,
      noCache: request.noCache,
      sourceDateEpoch,
      project: session.project,
      namedContexts: request.namedContexts,
      resolveImage: async (reference, wanted) => {
        const image = await resolveBase(session, reference, wanted);
        if (!request.classic) materials.push(materialOf(session, image, wanted));
        return image;
      },
    });
    if (request.classic)
      return await new ClassicBuild({ session, solver, graph, plan, platform, sourceDateEpoch }).run();
    const stage = await graph.target();
    // before any step runs: a long build is not to hide them
    tellWarnings();
    linter.requireClean();
    for (const { name, line } of graph.unneeded())
      session.vertex({
        digest: sha256(`${session.ref} unneeded ${platform.architecture} ${line}`),
        inputs: [],
        name,
        line,
        cached: false,
        skipped: true,
        started: Date.now(),
        completed: Date.now(),
      });
    contextNeeds(stage.vertex, session.needs);
    const outcome = await solver.target(stage.vertex);
    const { resultOf } = solver;
    const { config: run, author } = stage.expanded;
    const config = imageConfig({
      stage: { base: stage.base, config: run, author, history: stage.history },
      platform,
      layers: outcome.layers,
      resultOf,
      labels: request.labels,
      sourceDateEpoch,
    });
    const base = stage.base?.rootfs.diff_ids ?? [];
    const result = {
      platform: formatPlatform(platform),
      config,
      layers: outcome.layers,
      base,
      keys: outcome.keys,
      materials,
    };
    return request.squash ? await squashed(session, result) : result;
  } finally {
    tellWarnings();
  }
}

function settingsOf(request: BuildRequest, platform: Platform): LanguageSettings {
  return {
    dockerfile: request.dockerfile.name,
    target: request.target,
    buildArgs: request.buildArgs,
    ...(request.classic ? { classic: true } : {}),
    targetPlatform: platform,
    buildPlatform: hostPlatform,
    namesPlatform: request.platforms.length > 1 || !isSamePlatform(platform, hostPlatform),
    namedContexts: [...request.namedContexts.keys()],
    labels: request.labels,
  };
}

function epochOf(request: BuildRequest): number | undefined {
  if (request.sourceDateEpoch !== undefined) return request.sourceDateEpoch;
  const text = request.buildArgs.get("SOURCE_DATE_EPOCH") ?? "";
  if (text === "") return undefined;
  if (!/^\d{1,12}$/.test(text))
    throw new EngineError(
      "invalid",
      `invalid SOURCE_DATE_EPOCH: ${text}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}
