import { EngineError, messageOf } from "../../lib/errors.ts";
import { explain } from "../cache/explain.ts";
import { type KeyParts, keyOf } from "../cache/key.ts";
import type { BuildVertex } from "../contract.ts";
import { BuildError, UnplacedError } from "../failure.ts";
import type { CopySource } from "../graph/operation.ts";
import { inputsOf, type Vertex } from "../graph/vertex.ts";
import { claimedCopy } from "../operations/claimed-copy.ts";
import { planCopy } from "../operations/copy.ts";
import { type Outcome, type Plan, scratch } from "../operations/plan.ts";
import { planRun } from "../operations/run.ts";
import { planWorkdir } from "../operations/workdir.ts";
import type { KeyedLayer } from "../remote-cache/cache-config.ts";
import { ImageSteps } from "./image-steps.ts";
import type { Session } from "./session.ts";
import { StepFailure } from "./step-failure.ts";

const filesToldMax = 20;
const showAfterMs = 200;

interface Step {
  key: string;
  /** see `Outcome` */
  sources?: string;
}

const sourcesOf = ({ sources }: Plan): Pick<Step, "sources"> => (sources === undefined ? {} : { sources });

/**
 * Brings vertices to their results: inputs first and side by side, each vertex once, from the cache where it can be. A
 * vertex that nobody asks for is never touched. The first failure stops the rest.
 */
export class Solver {
  private readonly session: Session;
  private readonly outcomes = new Map<string, Promise<Outcome>>();
  private readonly settled = new Map<string, Outcome>();
  private readonly images: ImageSteps;

  constructor(session: Session) {
    this.session = session;
    this.images = new ImageSteps(session);
  }

  /** The result of a whole build. */
  async target(vertex: Vertex | undefined): Promise<Outcome> {
    this.images.name(vertex);
    const outcome = await this.solve(vertex);
    this.images.tell(vertex, true);
    return outcome;
  }

  /** The result of a vertex; undefined = an empty root. */
  solve(vertex: Vertex | undefined): Promise<Outcome> {
    if (vertex === undefined) return Promise.resolve(scratch);
    const there = this.outcomes.get(vertex.digest);
    if (there !== undefined) return there;
    const outcome = this.step(vertex).then((result) => {
      this.settled.set(vertex.digest, result);
      return result;
    });
    this.outcomes.set(vertex.digest, outcome);
    return outcome;
  }

  /** Resolves when nothing runs any more, however it went. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.outcomes.values());
  }

  /** What has been solved; throws for what has not. */
  readonly resultOf = (vertex: Vertex | undefined): Outcome => {
    if (vertex === undefined) return scratch;
    const outcome = this.settled.get(vertex.digest);
    if (outcome === undefined) throw new EngineError("internal", `${vertex.name} is not solved yet`);
    return outcome;
  };

  private async step(vertex: Vertex): Promise<Outcome> {
    await Promise.all(inputsOf(vertex).map((input) => this.solve(input)));
    this.session.signal.throwIfAborted();
    const { operation } = vertex;
    if (operation.kind === "image") return this.image(vertex, operation.layers);
    if (operation.kind === "merge") return this.merge(vertex);
    const told = this.told(vertex);
    const started = Date.now();
    try {
      const claimed = await this.claimed(vertex);
      if (claimed !== undefined) return this.hit(vertex, { ...told, started }, claimed, { key: claimed.key });
      const plan = await this.shownAfter(showAfterMs, { ...told, started }, this.plan(vertex));
      return await this.planned(vertex, plan, { ...told, started });
    } catch (error) {
      const failure = this.failure(vertex, error);
      // who was stopped because another failed did not fail itself
      const text = this.session.signal.aborted ? "context canceled" : failure.message;
      this.session.vertex({ ...told, started, completed: Date.now(), error: text });
      throw failure;
    }
  }

  /** A step that is long being looked up, as a COPY of much that was never read before, is shown as begun meanwhile. */
  private async shownAfter<Result>(ms: number, told: BuildVertex, work: Promise<Result>): Promise<Result> {
    const timer = setTimeout(() => this.session.vertex(told), ms);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  private told(vertex: Vertex): BuildVertex {
    const inputs = inputsOf(vertex).map((input) => this.images.digestOf(input));
    const line = vertex.lines.start > 0 ? { line: vertex.lines.start } : {};
    return { digest: vertex.digest, inputs, name: vertex.name, cached: false, ...line };
  }

  private plan(vertex: Vertex): Promise<Plan> {
    const { operation } = vertex;
    switch (operation.kind) {
      case "run":
        return planRun(this.session, vertex, operation, this.resultOf);
      case "copy":
        return planCopy(this.session, vertex, operation, this.resultOf);
      case "workdir":
        return Promise.resolve(planWorkdir(this.session, vertex, operation, this.resultOf(operation.base)));
      default:
        throw new EngineError("internal", `a ${operation.kind} is no step`);
    }
  }

  private image(vertex: Vertex, layers: readonly string[]): Outcome {
    for (const layer of layers) this.session.lease.hold("layer", layer);
    // the classic builder tells its steps one after the other
    if (this.session.request.classic) this.images.tell(vertex, true);
    return { layers, keys: [], created: undefined };
  }

  /** `COPY --link`: told as the step that made the layer, which has been told already. */
  private merge({ operation }: Vertex): Outcome {
    if (operation.kind !== "merge") return scratch;
    this.images.tell(operation.base, true);
    const base = this.resultOf(operation.base);
    const upper = this.resultOf(operation.upper);
    return {
      layers: [...base.layers, ...upper.layers],
      keys: [...base.keys, ...upper.keys],
      created: upper.created,
    };
  }

  private async planned(vertex: Vertex, plan: Plan, told: BuildVertex): Promise<Outcome> {
    const { session } = this;
    const { cache, shared } = session.deps;
    const key = keyOf(plan.kind, plan.parts);
    const base = this.baseOf(vertex);
    const known = vertex.ignoreCache ? undefined : ((await this.imported(key)) ?? this.cached(key));
    if (known !== undefined) return this.hit(vertex, told, known, { key, ...sourcesOf(plan) });
    for (const input of inputsOf(vertex)) this.images.tell(input, true);
    session.vertex(told);
    const explained = this.explained(plan, vertex, told);
    // what is kept of a failure is kept for the build that asked for it
    const isShared = !vertex.ignoreCache && !session.request.keepsFailed;
    const running = shared.run(
      isShared ? key : undefined,
      {
        signal: session.signal,
        output: (stream, data, time) =>
          session.output({ kind: "log", vertex: vertex.digest, stream, data, time }),
      },
      async (output, signal) => {
        const made = await plan.run(output, signal);
        if (made.isUnkeyed) return made;
        cache.put({
          key,
          kind: plan.kind,
          description: vertex.name.replace(/^\[[^\]]*\] /, ""),
          parents: this.baseOf(vertex).keys.slice(-1),
          layer: made.layer,
          created: made.created,
          parts: plan.parts,
          files: plan.files,
          family: plan.family,
          position: vertex.position,
        });
        return made;
      },
    );
    const [result, reasons] = await allSettled(running, explained);
    session.lease.hold("layer", result.layer);
    const own = result.isUnkeyed ? keyOf(plan.kind, { layer: result.layer }) : key;
    session.used.add(own);
    session.vertex({ ...told, reasons, completed: Date.now(), usage: result.usage });
    return this.outcome(base, result, { key: own, ...sourcesOf(plan) });
  }

  /** The step's result was there. */
  private hit(
    vertex: Vertex,
    told: BuildVertex,
    known: { layer: string; created: string },
    step: Step,
  ): Outcome {
    this.session.used.add(step.key);
    for (const input of inputsOf(vertex)) this.images.tell(input, false);
    this.session.vertex({ ...told, completed: Date.now(), cached: true });
    return this.outcome(this.baseOf(vertex), known, step);
  }

  private async claimed(vertex: Vertex): Promise<KeyedLayer | undefined> {
    const { operation, ignoreCache } = vertex;
    const { session, resultOf } = this;
    if (ignoreCache || operation.kind !== "copy" || session.request.cacheFrom.length === 0) return undefined;
    const found = await claimedCopy(session, vertex, operation, resultOf);
    if (found !== undefined) session.lease.hold("layer", found.layer);
    return found;
  }

  private baseOf({ operation }: Vertex): Outcome {
    return "base" in operation ? this.resultOf(operation.base) : scratch;
  }

  private outcome(base: Outcome, made: { layer: string; created: string }, { key, ...told }: Step): Outcome {
    this.session.made.set(key, { layer: made.layer, created: made.created });
    return {
      layers: [...base.layers, made.layer],
      keys: [...base.keys, key],
      created: made.created,
      ...told,
    };
  }

  /** An entry whose layer is there, and stays while the build runs. */
  private cached(key: string): { layer: string; created: string } | undefined {
    const { cache, snapshots } = this.session.deps;
    const entry = cache.get(key);
    if (entry === undefined) return undefined;
    this.session.lease.hold("layer", entry.layer);
    if (snapshots.layer(entry.layer) !== undefined) return entry;
    cache.remove([key]);
    return undefined;
  }

  /**
   * A result of a cache that the build was told to read; its layer comes once something reads it. It goes before what the
   * engine has itself: that may be of another run of the same step, on which nothing of the cache stands.
   */
  private async imported(key: string): Promise<{ layer: string; created: string } | undefined> {
    const found = await this.session.imports.find(key);
    if (found !== undefined) this.session.lease.hold("layer", found.layer);
    return found;
  }

  /** While the step runs already: to find out what differs takes the time of many a step. */
  private async explained(plan: Plan, vertex: Vertex, told: BuildVertex): Promise<string[]> {
    const reasons = vertex.ignoreCache ? ["the cache was not to be used"] : await this.reasons(plan, vertex);
    this.session.vertex({ ...told, reasons });
    return reasons;
  }

  private async reasons(plan: Plan, vertex: Vertex): Promise<string[]> {
    const { cache, workers, paths } = this.session.deps;
    const { position, operation } = vertex;
    const earlier = cache.nearest({ family: plan.family, position, project: this.session.project });
    const reasons = explain(plan.parts, earlier, "base" in operation ? baseName(operation.base) : "");
    const lists = differingLists(plan.parts, earlier);
    for (const { now, before, index } of lists) {
      const below = operation.kind === "copy" ? folderOf(operation.sources[index]) : "";
      const request = { lists: paths.lists, now, before, below, max: filesToldMax };
      const { names, more } = await workers.call("explain", request);
      if (names.length === 0) continue;
      const at = reasons.indexOf("the files it copies differ");
      reasons.splice(at < 0 ? reasons.length : at, at < 0 ? 0 : 1, ...names);
      if (more > 0) reasons.push(`and ${more} more files`);
    }
    return reasons;
  }

  /** The failure as it is told: with the step's lines, unless it has its own. */
  private failure({ lines, digest }: Vertex, error: unknown): Error {
    if (this.session.signal.aborted) return abortedError(this.session.signal);
    if (error instanceof BuildError) return error;
    const kind = error instanceof EngineError ? error.kind : "internal";
    return new BuildError(kind, messageOf(error), {
      lines: lines.start > 0 && !(error instanceof UnplacedError) ? [lines] : [],
      vertex: digest,
      ...(error instanceof StepFailure ? { exitCode: error.exitCode, kept: error.kept } : {}),
      cause: error,
    });
  }
}

const abortedError = (signal: AbortSignal): Error =>
  signal.reason instanceof EngineError
    ? signal.reason
    : new EngineError("conflict", "the build was cancelled", { cause: signal.reason });

/** Both results; a failure is told only once neither runs any more, the first one's before the other's. */
async function allSettled<One, Other>(one: Promise<One>, other: Promise<Other>): Promise<[One, Other]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}

/** What a step works on, as explanations name it. */
function baseName(base: Vertex | undefined): string {
  if (base === undefined) return "an empty root";
  if (base.operation.kind === "image") return `the base image ${base.operation.reference}`;
  return `the result of ${base.name}`;
}

interface DifferingLists {
  now: string;
  before: string;
  /** of the source */
  index: number;
}

function differingLists(now: KeyParts, before: KeyParts | undefined): DifferingLists[] {
  return Object.keys(now).flatMap((name) => {
    const one = now[name];
    const other = before?.[name];
    const match = /^files(?:\.(\d+))?$/.exec(name);
    if (match === null || one === undefined || other === undefined || one === other) return [];
    return [{ now: one, before: other, index: Number(match[1] ?? 0) }];
  });
}

/** The path that a source's files lie below, where it is one alone and its names are not kept whole. */
function folderOf(source: CopySource | undefined): string {
  if (source?.kind !== "tree" || source.parents || /[*?[\\]/.test(source.pattern)) return "";
  return source.pattern.replace(/^\/+/, "");
}
