import type { Range } from "../../lib/dockerfile/ast.ts";
import { formatPlatform } from "../../lib/image/platform.ts";
import type { ImageConfig, Platform } from "../../types/oci.ts";
import { baseOf, imageError, type NamedImage } from "../dockerfile/base-error.ts";
import { expandStage } from "../dockerfile/expand.ts";
import type { BuildPlan } from "../dockerfile/stages/plan.ts";
import type { SourceRef } from "../dockerfile/stages/sources.ts";
import type { Stage } from "../dockerfile/stages/stage.ts";
import type { ExpandedStage, StageBase, StageHistory, Step } from "../dockerfile/steps.ts";
import { operationOf, type Sources } from "./convert.ts";
import type { TreeSource } from "./operation.ts";
import { makeVertex, type Vertex } from "./vertex.ts";

/** A base image that is here. */
export interface ResolvedImage {
  id: string;
  config: ImageConfig;
  layers: readonly string[];
  /** as shown: with a digest where it has one */
  shown: string;
  /** of what its registry has under the name, where that was asked just now */
  digest?: string;
}

interface GraphSettings {
  plan: BuildPlan;
  noCache: boolean | readonly string[];
  sourceDateEpoch: number | undefined;
  /** the same for builds of the same Dockerfile */
  project: string;
  /** contexts that stand in for stages or images: folder or image */
  namedContexts: ReadonlyMap<string, { context: unknown } | { image: string }>;
  resolveImage(reference: string, platform: Platform): Promise<ResolvedImage>;
}

export interface HistoryStep extends Omit<StageHistory, "step"> {
  vertex: Vertex | undefined;
}

/** What a stage comes to: its last step (undefined = nothing but an empty root), and the image's configuration. */
export interface StageGraph {
  expanded: ExpandedStage;
  vertex: Vertex | undefined;
  /** the image it began with, if any */
  base: ImageConfig | undefined;
  history: HistoryStep[];
  /** those of the stage itself */
  own: HistoryStep[];
  /** what it began with: an image, or another stage's result; undefined = nothing */
  begin: { image: ResolvedImage | undefined; vertex: Vertex | undefined };
}

/**
 * Turns the stages that the target needs into a graph of vertices; what it does not need is not even looked at, nor are
 * its base images asked for.
 */
export class GraphBuilder implements Sources {
  private readonly settings: GraphSettings;
  private readonly stages = new Map<number, Promise<StageGraph>>();
  private readonly images = new Map<string, Promise<{ image: ResolvedImage; vertex: Vertex }>>();

  constructor(settings: GraphSettings) {
    this.settings = settings;
  }

  target(): Promise<StageGraph> {
    return this.stage(this.settings.plan.target);
  }

  /** The instructions that would run in stages nobody asked for, once `target` has settled. */
  unneeded(): { name: string; line: number }[] {
    const left = this.settings.plan.stages.filter(({ index }) => !this.stages.has(index));
    return left.flatMap((stage) =>
      stage.instructions
        .filter(({ kind }) => ["run", "copy", "add", "workdir"].includes(kind))
        .map(({ source }) => ({
          name: `[${stageNameOf(stage)}] ${source.text}`,
          line: source.location.start.line,
        })),
    );
  }

  stage(stage: Stage): Promise<StageGraph> {
    const there = this.stages.get(stage.index) ?? this.build(stage);
    this.stages.set(stage.index, there);
    return there;
  }

  private async build(stage: Stage): Promise<StageGraph> {
    const begin = await this.begin(stage);
    const expanded = expandStage(this.settings.plan, stage, begin.base);
    let vertex = begin.vertex;
    if (vertex?.operation.kind === "image" && expanded.fromName !== undefined)
      vertex = makeVertex({ ...vertex, name: expanded.fromName, lines: linesOf(stage.location) });
    const first = vertex;
    const own: (Vertex | undefined)[] = [];
    for (const [index, step] of expanded.steps.entries()) {
      vertex = await this.step(stage, step, index, vertex);
      own.push(vertex);
    }
    const history = expanded.history.map(({ step, ...entry }) => ({
      ...entry,
      vertex: step === undefined ? undefined : own[step],
    }));
    return {
      expanded,
      vertex,
      base: begin.image,
      history: [...begin.history, ...history],
      own: history,
      begin: { image: begin.resolved, vertex: first },
    };
  }

  private async begin(stage: Stage): Promise<{
    base: StageBase;
    vertex: Vertex | undefined;
    image: ImageConfig | undefined;
    resolved?: ResolvedImage;
    history: HistoryStep[];
  }> {
    const { base } = stage;
    if (base.kind === "scratch")
      return { base: { kind: "scratch" }, vertex: undefined, image: undefined, history: [] };
    if (base.kind === "stage") {
      const found = this.settings.plan.stages[base.index];
      if (found === undefined) throw new Error(`no stage ${base.index}`);
      const { expanded, vertex, base: image, history } = await this.stage(found);
      return { base: { kind: "stage", stage: expanded }, vertex, image, history };
    }
    if (base.kind === "context") {
      const named = this.settings.namedContexts.get(base.name);
      if (named !== undefined && "context" in named) {
        const vertex = this.wholeContext(stage, base.name);
        return { base: { kind: "scratch" }, vertex, image: undefined, history: [] };
      }
    }
    const reference = base.kind === "image" ? base.reference : this.imageOfContext(base.name);
    const { image, vertex } = await this.image(baseOf(stage, reference), stage.platform);
    const begin: StageBase = {
      kind: "image",
      config: image.config,
      reference: image.shown,
      hasLayers: image.layers.length > 0,
    };
    return {
      base: begin,
      vertex: image.layers.length > 0 ? vertex : undefined,
      image: image.config,
      resolved: image,
      history: [],
    };
  }

  private imageOfContext(name: string): string {
    const named = this.settings.namedContexts.get(name);
    return named !== undefined && "image" in named ? named.image : name;
  }

  /** `asked` is what a failure names. */
  private async image(
    asked: NamedImage,
    platform: Platform,
  ): Promise<{ image: ResolvedImage; vertex: Vertex }> {
    try {
      return await this.resolved(asked.reference, platform);
    } catch (error) {
      throw imageError(this.settings.plan, asked, error);
    }
  }

  private resolved(reference: string, platform: Platform): Promise<{ image: ResolvedImage; vertex: Vertex }> {
    const key = `${reference} ${formatPlatform(platform)}`;
    const there =
      this.images.get(key) ??
      this.settings.resolveImage(reference, platform).then((image) => ({
        image,
        vertex: makeVertex({
          name: `FROM ${image.shown}`,
          stage: "",
          lines: { start: 0, end: 0 },
          position: "",
          ignoreCache: false,
          sourceDateEpoch: undefined,
          operation: { kind: "image", reference: image.shown, imageId: image.id, layers: image.layers },
        }),
      }));
    this.images.set(key, there);
    return there;
  }

  /** A folder that is used as a base: all of it, on nothing. */
  private wholeContext(stage: Stage, name: string): Vertex {
    return makeVertex({
      name: `[context ${name}] load from client`,
      stage: stageNameOf(stage),
      lines: linesOf(stage.location),
      position: `${this.settings.project} context ${name}`,
      ignoreCache: false,
      sourceDateEpoch: this.settings.sourceDateEpoch,
      operation: {
        kind: "copy",
        base: undefined,
        sources: [
          { kind: "tree", tree: { kind: "context", name }, pattern: "/", parents: false, unpack: false },
        ],
        destination: "/",
        chown: "",
        chmod: "",
        link: false,
        exclude: [],
      },
    });
  }

  private async step(stage: Stage, step: Step, index: number, base: Vertex | undefined): Promise<Vertex> {
    const common = {
      name: step.name,
      stage: stageNameOf(stage),
      lines: linesOf(step.location),
      position: `${this.settings.project} ${stageNameOf(stage)} ${index}`,
      ignoreCache: this.ignoresCache(stage),
      sourceDateEpoch: this.settings.sourceDateEpoch,
    };
    const platform = formatPlatform(stage.platform);
    const operation = await operationOf(step, { base, platform, stage, sources: this });
    const vertex = makeVertex({ ...common, operation });
    if (operation.kind !== "copy" || !operation.link) return vertex;
    return makeVertex({ ...common, operation: { kind: "merge", base, upper: vertex } });
  }

  private ignoresCache(stage: Stage): boolean {
    const { noCache } = this.settings;
    if (typeof noCache === "boolean") return noCache;
    return noCache.some((name) => name.toLowerCase() === stage.name);
  }

  /** What COPY and mounts of a stage read from. */
  async tree(from: SourceRef, stage: Stage, location: Range | undefined): Promise<TreeSource> {
    switch (from.kind) {
      case "context":
        return { kind: "context", name: "" };
      case "scratch":
        return { kind: "vertex", vertex: undefined };
      case "stage": {
        const found = this.settings.plan.stages[from.index];
        if (found === undefined) throw new Error(`no stage ${from.index}`);
        return { kind: "vertex", vertex: (await this.stage(found)).vertex };
      }
      case "image":
        return { kind: "vertex", vertex: (await this.image({ ...from, location }, stage.platform)).vertex };
      case "named": {
        const named = this.settings.namedContexts.get(from.name);
        if (named !== undefined && "image" in named)
          return {
            kind: "vertex",
            vertex: (
              await this.image({ written: undefined, reference: named.image, location }, stage.platform)
            ).vertex,
          };
        return { kind: "context", name: from.name };
      }
    }
  }
}

const stageNameOf = (stage: Stage): string => stage.name ?? `stage-${stage.index}`;

const linesOf = ({
  start,
  end,
}: {
  start: { line: number };
  end: { line: number };
}): { start: number; end: number } => ({ start: start.line, end: end.line });
