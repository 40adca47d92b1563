import type { ParsedDockerfile } from "../../../lib/dockerfile/ast.ts";
import { directivesOf } from "../../../lib/dockerfile/directives.ts";
import { DockerfileError } from "../../../lib/dockerfile/error.ts";
import { parseDockerfile } from "../../../lib/dockerfile/parse.ts";
import { checkInstruction, checkLines, checkStages } from "../../check/file-rules.ts";
import { Linter, parseCheckOptions } from "../../check/linter.ts";
import { withPlace } from "../place.ts";
import { refuseCircles } from "./circles.ts";
import { type GlobalArgs, readGlobalArgs } from "./global-args.ts";
import { resolveStages } from "./resolve-stages.ts";
import type { LanguageSettings } from "./settings.ts";
import { splitStages } from "./split-stages.ts";
import type { Stage } from "./stage.ts";
import { findTarget } from "./target.ts";

/**
 * A Dockerfile as stages: which there are, what each begins with, and what is known before any base image is. What its
 * instructions come to (`expand.ts`) waits for the base's configuration.
 */
export interface BuildPlan {
  parsed: ParsedDockerfile;
  settings: LanguageSettings;
  stages: Stage[];
  target: Stage;
  globalArgs: GlobalArgs;
  linter: Linter;
}

/** Throws `BuildError` (kind `invalid`) with the lines where the file is wrong. */
export function planBuild(
  text: string,
  settings: LanguageSettings,
  linter = openLinter(text, settings),
): BuildPlan {
  return withPlace(() => plan(text, settings, linter));
}

/** Holds what the rules find, also where the plan fails later on. Errors are of kind `invalid`. */
export function openLinter(
  text: string,
  { dockerfile, buildArgs }: Pick<LanguageSettings, "dockerfile" | "buildArgs">,
): Linter {
  const asked =
    buildArgs.get("BUILDKIT_DOCKERFILE_CHECK") ??
    directivesOf(text).find(({ name }) => name === "check")?.value;
  return new Linter(dockerfile, parseCheckOptions(asked ?? ""));
}

function plan(text: string, settings: LanguageSettings, linter: Linter): BuildPlan {
  if (text === "") throw new DockerfileError("the Dockerfile cannot be empty");
  const parsed = parseDockerfile(text);
  checkLines(parsed, linter);
  const { globals, parts } = splitStages(parsed, (instruction) => checkInstruction(instruction, linter));
  checkStages(parts, linter);
  const globalArgs = readGlobalArgs(globals, parts, settings, linter);
  const stages = resolveStages(parts, globalArgs, settings, linter);
  const target = findTarget(stages, settings.target, !settings.classic);
  refuseCircles(stages);
  return { parsed, settings, stages, target, globalArgs, linter };
}
