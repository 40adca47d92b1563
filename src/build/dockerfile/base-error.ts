import { withSuggestion } from "../../lib/dockerfile/suggest.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { BuildError } from "../failure.ts";
import type { BuildPlan, Stage } from "./plan.ts";

const repositories = ["alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora"];

/** Why a stage's base image cannot be had: `name: reason`, with a stage or a common image of nearly that name. */
export function baseImageError(plan: BuildPlan, stage: Stage, error: unknown): BuildError {
  const written = stage.base.kind === "image" ? stage.base.written : stage.from.base;
  const names = plan.stages.map(({ displayName }) => displayName).filter((name) => name !== "");
  const known = [...names, ...repositories, ...repositories.map((name) => `${name}:latest`)];
  const sentence = withSuggestion(`${written}: ${messageOf(error)}`, written, known);
  const kind = error instanceof EngineError ? error.kind : "internal";
  const lines = [{ start: stage.location.start.line, end: stage.location.end.line }];
  return new BuildError(kind, sentence, { lines, cause: error });
}
