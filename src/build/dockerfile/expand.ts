import { environmentOf, setVariable } from "../../lib/dockerfile/changes.ts";
import { decode } from "../../lib/dockerfile/decode.ts";
import { DockerfileError, located } from "../../lib/dockerfile/error.ts";
import type { Instruction } from "../../lib/dockerfile/instruction.ts";
import { parseDockerfile } from "../../lib/dockerfile/parse.ts";
import { EngineError } from "../../lib/errors.ts";
import { formatPlatform, isSamePlatform } from "../../lib/image/platform.ts";
import { UnplacedError } from "../failure.ts";
import { applyInstruction } from "./apply/apply.ts";
import { resolvePath } from "./apply/paths.ts";
import { withPlace } from "./place.ts";
import type { BuildPlan } from "./stages/plan.ts";
import type { Stage } from "./stages/stage.ts";
import { type StageBegin, StageState } from "./state.ts";
import type { ExpandedStage, StageBase, StageUsage } from "./steps.ts";

/**
 * Puts a stage's variables in and runs its base's ONBUILD triggers, now that the base is known. Pure: the same plan
 * and base give the same steps. What COPY and mounts read from is named, not opened. Rules that are broken are told to
 * `plan.linter`. Throws `BuildError` with the lines where the file is wrong.
 */
export function expandStage(plan: BuildPlan, stage: Stage, base: StageBase): ExpandedStage {
  return withPlace(() => {
    const state = new StageState(plan, stage, begin(plan, stage, base));
    const triggers = triggersOf(stage, base);
    state.total = countSteps(stage, base) + triggers.length;
    const hasName = base.kind === "image" && base.hasLayers && stage.base.kind === "image";
    const fromName = hasName ? state.stepName(`FROM ${base.reference}`) : undefined;
    if (base.kind === "image") checkPlatform(stage, base, state);
    for (const instruction of triggers) applyAt(state, instruction, true);
    if (state.isClassic) applyWhileRight(state, stage.instructions);
    else for (const instruction of stage.instructions) applyAt(state, instruction, false);
    return finish(state, fromName);
  });
}

function applyAt(state: StageState, instruction: Instruction, isTrigger: boolean): void {
  state.isTrigger = isTrigger;
  state.instruction = instruction;
  try {
    applyInstruction(state, instruction);
  } catch (error) {
    const isPlaced = error instanceof EngineError && !(error instanceof UnplacedError);
    throw isPlaced ? located(error, [instruction.source.location]) : error;
  }
}

/** The classic builder finds what is wrong with an instruction when it comes to it. */
function applyWhileRight(state: StageState, instructions: readonly Instruction[]): void {
  for (const instruction of instructions)
    try {
      withPlace(() => applyAt(state, instruction, false));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      state.fail(error);
      return;
    }
}

const noUsage: StageUsage = {
  args: new Map(),
  usedArgs: new Set(),
  secrets: new Map(),
  ssh: new Map(),
};

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function begin(plan: BuildPlan, stage: Stage, base: StageBase): StageBegin {
  if (base.kind === "stage") {
    const { end, config, author } = base.stage;
    const { environment, args, workdirSet, usage } = end;
    if (plan.settings.classic) {
      const own = prepared(config);
      return { config: own, author, environment: environmentOf(own), args: [], workdirSet, usage };
    }
    const inherited = new Map([...environment, ...environmentOf(prepared(config))]);
    return { config: prepared(config), author, environment: inherited, args, workdirSet, usage };
  }
  const config = prepared(
    base.kind === "image" ? (base.config.config ?? {}) : plan.settings.classic ? {} : { WorkingDir: "/" },
  );
  const usage = globalUsage(plan, stage);
  const author = base.kind === "image" ? base.config.author : undefined;
  return { config, author, environment: environmentOf(config), args: [], workdirSet: false, usage };
}

/** PATH is always there, triggers do not go on, and the working folder is absolute. */
function prepared(config: ImageConfigPart): ImageConfigPart {
  const { OnBuild: _, ...kept } = config;
  const env = kept.Env ?? [];
  const hasPath = env.some((entry) => entry.startsWith("PATH="));
  return {
    ...kept,
    Env: hasPath ? env : setVariable(env, "PATH", defaultPath),
    ...(kept.WorkingDir ? { WorkingDir: resolvePath("/", kept.WorkingDir) } : {}),
  };
}

type ImageConfigPart = StageBegin["config"];

function globalUsage({ globalArgs }: BuildPlan, stage: Stage): StageUsage {
  const args = [...globalArgs.declared].map(([key, { definition, value, location }]) => {
    const told = { description: definition.description, value, line: location.start.line };
    return [key, told] as const;
  });
  return { ...noUsage, args: new Map(args), usedArgs: stage.usedArgs };
}

const counted: readonly string[] = ["add", "copy", "run", "workdir"];

const countSteps = ({ instructions, base }: Stage, begins: StageBase): number =>
  instructions.filter(({ kind }) => counted.includes(kind)).length +
  (base.kind === "scratch" || begins.kind === "stage" ? 0 : 1);

function triggersOf(stage: Stage, base: StageBase): Instruction[] {
  if (base.kind === "scratch" || (stage.base.kind === "context" && stage.base.whole)) return [];
  const expressions = base.kind === "stage" ? base.stage.end.triggers : (base.config.config?.OnBuild ?? []);
  return expressions.map((expression) => trigger(expression, stage));
}

/** Errors are those of the FROM that brought the trigger. */
function trigger(expression: string, stage: Stage): Instruction {
  const place = [stage.location];
  try {
    const { instructions } = parseDockerfile(expression);
    const [source, ...more] = instructions;
    if (source === undefined || more.length > 0)
      throw new EngineError("invalid", "onbuild trigger should be a single expression");
    const instruction = decode({ ...source, location: stage.location });
    if (instruction.kind === "from")
      throw new EngineError("invalid", "FROM isn't allowed as an ONBUILD trigger");
    return instruction;
  } catch (error) {
    if (error instanceof DockerfileError) throw new DockerfileError(error.message, place, { cause: error });
    throw error instanceof EngineError ? located(error, place) : error;
  }
}

function checkPlatform(
  stage: Stage,
  { config }: Extract<StageBase, { kind: "image" }>,
  state: StageState,
): void {
  const { os, architecture, variant } = config;
  const actual = { os, architecture, ...(variant ? { variant } : {}) };
  const { platform, base, location } = stage;
  const same = isSamePlatform({ os: platform.os, architecture: platform.architecture }, { os, architecture });
  if (same || base.kind !== "image") return;
  const told = [base.written, formatPlatform(platform), formatPlatform(actual)] as const;
  state.plan.linter.report("InvalidBaseImagePlatform", location, ...told);
}

function finish(state: StageState, fromName: string | undefined): ExpandedStage {
  const { stage, steps, author, history, environment, args, workdirSet, triggers, usage } = state;
  const config = triggers.length === 0 ? state.config : { ...state.config, OnBuild: triggers };
  const end = { environment, args, workdirSet, triggers, usage };
  return { stage, fromName, steps, config, author, history, end };
}
