import type { ImageConfig, Platform } from "../../types/oci.ts";
import type { Linter } from "../check/linter.ts";
import type { BuildRequest } from "../contract.ts";
import { baseOf, imageError, withManifestRequest } from "../dockerfile/base-error.ts";
import { expandStage } from "../dockerfile/expand.ts";
import { type BuildPlan, openLinter, planBuild } from "../dockerfile/stages/plan.ts";
import type { LanguageSettings } from "../dockerfile/stages/settings.ts";
import type { SourceRef } from "../dockerfile/stages/sources.ts";
import type { Stage } from "../dockerfile/stages/stage.ts";
import type { ExpandedStage } from "../dockerfile/steps.ts";

/** A Dockerfile put in without running it: what `--check` and `--call` look at. */
export interface Survey {
  plan: BuildPlan;
  linter: Linter;
  /** those that were asked for and all they need, by index */
  stages: Map<number, ExpandedStage>;
}

interface SurveyOptions {
  settings: LanguageSettings;
  /** where broken rules are told; made of the file's own settings where absent */
  linter?: Linter;
  /** all stages of the file, also those that the target does not need */
  all: boolean;
  /** a base image's configuration */
  configOf(reference: string, platform: Platform): Promise<ImageConfig>;
  namedContexts: BuildRequest["namedContexts"];
}

export async function survey(text: string, options: SurveyOptions): Promise<Survey> {
  const linter = options.linter ?? openLinter(text, options.settings);
  const plan = planBuild(text, options.settings, linter);
  const surveyor = new Surveyor(plan, options);
  for (const stage of options.all ? plan.stages : [plan.target]) await surveyor.visit(stage);
  return { plan, linter, stages: surveyor.stages };
}

class Surveyor {
  readonly stages = new Map<number, ExpandedStage>();
  private readonly plan: BuildPlan;
  private readonly options: SurveyOptions;

  constructor(plan: BuildPlan, options: SurveyOptions) {
    this.plan = plan;
    this.options = options;
  }

  /** The stage, what it begins with, and what it copies from. */
  async visit(stage: Stage): Promise<ExpandedStage> {
    const there = this.stages.get(stage.index);
    if (there) return there;
    const expanded = await this.expand(stage);
    this.stages.set(stage.index, expanded);
    for (const source of sourcesOf(expanded)) {
      const next = source.kind === "stage" ? this.plan.stages[source.index] : undefined;
      if (next) await this.visit(next);
    }
    return expanded;
  }

  private async expand(stage: Stage): Promise<ExpandedStage> {
    const { base } = stage;
    const below = base.kind === "stage" ? this.plan.stages[base.index] : undefined;
    if (below) return expandStage(this.plan, stage, { kind: "stage", stage: await this.visit(below) });
    const reference = this.imageOf(stage);
    if (reference === undefined) return expandStage(this.plan, stage, { kind: "scratch" });
    const config = await this.config(stage, reference);
    return expandStage(this.plan, stage, { kind: "image", config, reference, hasLayers: true });
  }

  private imageOf({ base }: Stage): string | undefined {
    if (base.kind === "image") return base.reference;
    const named = base.kind === "context" ? this.options.namedContexts.get(base.name) : undefined;
    return named !== undefined && "image" in named ? named.image : undefined;
  }

  private async config(stage: Stage, reference: string): Promise<ImageConfig> {
    try {
      return await this.options.configOf(reference, stage.platform);
    } catch (error) {
      throw imageError(this.plan, baseOf(stage, reference), withManifestRequest(error, reference));
    }
  }
}

const sourcesOf = ({ steps }: ExpandedStage): SourceRef[] =>
  steps.flatMap((step) => {
    if (step.kind === "run") return step.mounts.map(({ from }) => from);
    if (step.kind === "copy") return step.items.flatMap((item) => (item.kind === "path" ? [item.from] : []));
    return [];
  });

/** The stages that a target is made of, the target itself first. */
export function neededStages({ plan, stages }: Survey): ExpandedStage[] {
  const found = new Map<number, ExpandedStage>();
  const open = [plan.target.index];
  for (let index = open.shift(); index !== undefined; index = open.shift()) {
    const expanded = stages.get(index);
    if (!expanded || found.has(index)) continue;
    found.set(index, expanded);
    const { base } = expanded.stage;
    if (base.kind === "stage") open.push(base.index);
    for (const source of sourcesOf(expanded)) if (source.kind === "stage") open.push(source.index);
  }
  return [...found.values()];
}
