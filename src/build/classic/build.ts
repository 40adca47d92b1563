import type { Instruction } from "../../lib/dockerfile/instruction.ts";
import { EngineError } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { formatPlatform } from "../../lib/image/platform.ts";
import type { ImageConfig, Platform } from "../../types/oci.ts";
import type { ClassicEvent } from "../contract.ts";
import { classicNop, sourcesMark } from "../dockerfile/classic-history.ts";
import type { BuildPlan } from "../dockerfile/stages/plan.ts";
import type { Stage } from "../dockerfile/stages/stage.ts";
import { imageConfig } from "../export/config.ts";
import type { PlatformResult } from "../export/result.ts";
import { squashed } from "../export/squash.ts";
import type { GraphBuilder, HistoryStep, StageGraph } from "../graph/build-graph.ts";
import type { Outcome } from "../operations/plan.ts";
import type { Session } from "../solver/session.ts";
import type { Solver } from "../solver/solve.ts";
import { copyFailure, imageFailure } from "./failures.ts";
import { unconsumedArgs } from "./unconsumed-args.ts";

interface Parts {
  session: Session;
  solver: Solver;
  graph: GraphBuilder;
  plan: BuildPlan;
  platform: Platform;
  sourceDateEpoch: number | undefined;
}

/** What an instruction came to. `history` is that of the Dockerfile, with the stages it stands on. */
interface State {
  imageId: string;
  config: ImageConfig | undefined;
  /** the image that the first of its stages began with */
  base: ImageConfig | undefined;
  layers: readonly string[];
  history: readonly HistoryStep[];
}

const nothing: State = { imageId: "", config: undefined, base: undefined, layers: [], history: [] };

/** The layer of a step that changed no file: a tar of nothing. */
const emptyLayer = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

/**
 * A build as Docker's classic builder does it: every stage up to the target, one instruction after the other, and each
 * instruction comes to an image, whose parent is the one before. Steps are solved as in any build; an instruction is told
 * to come from the cache where its image was there before.
 */
export class ClassicBuild {
  private readonly parts: Parts;
  private readonly total: number;
  private number = 0;
  private readonly ends = new Map<number, State>();

  constructor(parts: Parts) {
    this.parts = parts;
    const instructions = this.stages.reduce((total, stage) => total + 1 + stage.instructions.length, 0);
    this.total = instructions + parts.session.request.labels.size;
  }

  private get stages(): Stage[] {
    const { stages, target } = this.parts.plan;
    return stages.slice(0, target.index + 1);
  }

  async run(): Promise<PlatformResult> {
    const { session, plan, platform } = this.parts;
    let state = nothing;
    for (const stage of this.stages) {
      state = await this.stage(stage);
      if (stage === plan.target) state = await this.labels(state);
      this.ends.set(stage.index, state);
      if (state.imageId !== "") this.tell({ at: "stage", id: state.imageId });
    }
    const { config, layers, imageId } = state;
    if (config === undefined)
      throw new EngineError("invalid", "No image was generated. Is your Dockerfile empty?");
    const unconsumed = unconsumedArgs(plan, this.stages, session.request.buildArgs);
    if (unconsumed.length > 0)
      this.note(`[Warning] One or more build-args [${unconsumed.join(" ")}] were not consumed`);
    const base = (await this.graph(plan.target)).base?.rootfs.diff_ids ?? [];
    const result = { platform: formatPlatform(platform), config, layers, base, keys: [], materials: [] };
    return session.request.squash ? await squashed(session, result) : { ...result, imageId };
  }

  private async graph(stage: Stage): Promise<StageGraph> {
    try {
      return await this.parts.graph.stage(stage);
    } catch (error) {
      throw imageFailure(error, stage.location);
    }
  }

  private async stage(stage: Stage): Promise<State> {
    this.begin(stage.from);
    const { own, begin } = await this.graph(stage);
    await this.parts.solver.solve(begin.vertex);
    let state = this.before(stage, begin.image);
    const triggers = own.filter(({ isTrigger }) => isTrigger);
    if (triggers.length > 0) this.tell({ at: "triggers", count: triggers.length });
    for (const entry of triggers) {
      this.tell({ at: "trigger", name: entry.instruction.kind });
      state = await this.instruction(entry, state);
    }
    this.tell({ at: "image", id: state.imageId });
    for (const entry of own.slice(triggers.length)) {
      this.begin(entry.instruction);
      state = await this.instruction(entry, state);
      this.tell({ at: "image", id: state.imageId });
    }
    return state;
  }

  /** What a stage begins with. */
  private before({ base }: Stage, image: StageGraph["begin"]["image"]): State {
    if (base.kind === "stage") return this.ends.get(base.index) ?? nothing;
    if (image === undefined) return nothing;
    const { id, config, layers } = image;
    return { imageId: id, config, base: config, layers, history: [] };
  }

  private async instruction(entry: HistoryStep, before: State): Promise<State> {
    if (entry.failure !== undefined) throw entry.failure;
    const health = before.config?.config?.Healthcheck?.Test ?? [];
    if (entry.instruction.kind === "healthcheck" && health.length > 0)
      this.note(`Note: overriding previous HEALTHCHECK: [${health.join(" ")}]`);
    const outcome = await this.solve(entry);
    this.parts.session.signal.throwIfAborted();
    return this.image(this.entryOf(entry, outcome), outcome, before);
  }

  private async solve({ vertex, instruction }: HistoryStep): Promise<Outcome | undefined> {
    if (vertex === undefined) return undefined;
    try {
      return await this.parts.solver.solve(vertex);
    } catch (error) {
      throw copyFailure(error, instruction);
    }
  }

  private entryOf(entry: HistoryStep, outcome: Outcome | undefined): HistoryStep {
    const isEmpty = outcome === undefined || outcome.layers.at(-1) === emptyLayer;
    const createdBy = entry.createdBy.replace(sourcesMark, outcome?.sources ?? "");
    return { ...entry, createdBy, emptyLayer: isEmpty };
  }

  /** Adds the image that an instruction came to, unless it is there. */
  private image(entry: HistoryStep, outcome: Outcome | undefined, before: State): State {
    const { session } = this.parts;
    const added = outcome?.layers.at(-1);
    const layers = entry.emptyLayer || added === undefined ? before.layers : [...before.layers, added];
    const history = [...before.history, entry];
    const { base } = before;
    const config = this.configOf(entry, { base, layers, history });
    const imageId = sha256(JSON.stringify(config));
    const { noCache } = session.request;
    const cached = noCache !== true && session.deps.images.byId(imageId) !== undefined;
    const parent = before.imageId === "" ? {} : { parent: before.imageId };
    if (!cached) session.deps.images.add(config, parent);
    session.lease.hold("image", imageId);
    this.tell({ at: "done", name: entry.instruction.kind, cached });
    return { imageId, config, base, layers, history };
  }

  private configOf(
    { config, author }: HistoryStep,
    { base, layers, history }: Pick<State, "base" | "layers" | "history">,
  ): ImageConfig {
    const { platform, solver, sourceDateEpoch } = this.parts;
    return imageConfig({
      stage: { base, config, author, history },
      platform,
      layers,
      resultOf: solver.resultOf,
      labels: new Map(),
      sourceDateEpoch,
      comment: "",
    });
  }

  /** `--label`: an instruction each, behind those of the target. */
  private async labels(before: State): Promise<State> {
    const { labels } = this.parts.session.request;
    if (labels.size === 0) return before;
    const { expanded } = await this.graph(this.parts.plan.target);
    let { config } = expanded;
    let state = before;
    for (const [key, value] of [...labels].sort(([one], [other]) => (one < other ? -1 : 1))) {
      const text = `LABEL ${key}=${value}`;
      this.tell({ at: "begin", number: ++this.number, total: this.total, name: "label", text });
      config = { ...config, Labels: { ...config.Labels, [key]: value } };
      const createdBy = classicNop(config.Shell, ` ${text}`);
      const { author } = expanded;
      state = this.image({ ...this.metadata(createdBy), config, author }, undefined, state);
      this.tell({ at: "image", id: state.imageId });
    }
    return state;
  }

  /** An entry of the history that no instruction of the file stands for. */
  private metadata(createdBy: string) {
    const { from } = this.parts.plan.target;
    return { createdBy, emptyLayer: true, vertex: undefined, instruction: from, isTrigger: false };
  }

  private begin({ kind, source }: Instruction): void {
    this.number++;
    this.tell({ at: "begin", number: this.number, total: this.total, name: kind, text: source.text });
  }

  private note(text: string): void {
    this.tell({ at: "note", text });
  }

  private tell(classic: ClassicEvent): void {
    this.parts.session.emit({ kind: "classic", classic });
  }
}
