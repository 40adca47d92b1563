import type { ImageConfig } from "../../../types/oci.ts";
import { expandStage } from "../expand.ts";
import { type BuildPlan, openLinter, planBuild } from "../stages/plan.ts";
import type { LanguageSettings } from "../stages/settings.ts";
import type { Stage } from "../stages/stage.ts";
import type { ExpandedStage } from "../steps.ts";

/** Plans and expands a whole file on made-up base images, as a build of all its stages would. */
const platform = { os: "linux", architecture: "amd64" };

export const settings = (changed: Partial<LanguageSettings> = {}): LanguageSettings => ({
  dockerfile: "Dockerfile",
  target: undefined,
  buildArgs: new Map(),
  targetPlatform: platform,
  buildPlatform: platform,
  namesPlatform: false,
  namedContexts: [],
  labels: new Map(),
  ...changed,
});

export const image = (config: ImageConfig["config"] = {}): ImageConfig => ({
  ...platform,
  config: { Env: ["PATH=/bin"], Cmd: ["sh"], ...config },
  rootfs: { type: "layers", diff_ids: ["sha256:0"] },
});

interface ExpandedFile {
  plan: BuildPlan;
  stages: ExpandedStage[];
  target: ExpandedStage;
  /** "Rule: sentence (line)" */
  warnings: string[];
}

export function expandFile(
  text: string,
  changed: Partial<LanguageSettings> = {},
  base: ImageConfig = image(),
): ExpandedFile {
  const used = settings(changed);
  const linter = openLinter(text, used);
  const plan = planBuild(text, used, linter);
  const stages: ExpandedStage[] = [];
  for (const stage of plan.stages) stages.push(expandOne(plan, stage, stages, base));
  const target = stages[plan.target.index];
  if (target === undefined) throw new Error("no target");
  const warnings = linter.warnings.map(({ rule, short, lines }) => `${rule}: ${short} (${lines[0]?.start})`);
  return { plan, stages, target, warnings };
}

function expandOne(
  plan: BuildPlan,
  stage: Stage,
  before: readonly ExpandedStage[],
  base: ImageConfig,
): ExpandedStage {
  if (stage.base.kind === "scratch") return expandStage(plan, stage, { kind: "scratch" });
  if (stage.base.kind === "stage") {
    const below = before[stage.base.index];
    if (below === undefined) throw new Error("a stage before its base");
    return expandStage(plan, stage, { kind: "stage", stage: below });
  }
  const reference = stage.base.kind === "image" ? stage.base.reference : stage.base.name;
  return expandStage(plan, stage, { kind: "image", config: base, reference, hasLayers: true });
}
