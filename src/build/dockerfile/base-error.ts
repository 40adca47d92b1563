import type { Range } from "../../lib/dockerfile/ast.ts";
import { withSuggestion } from "../../lib/dockerfile/suggest.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { BuildError } from "../failure.ts";
import type { BuildPlan, Stage } from "./plan.ts";

const repositories = ["alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora"];

/** An image that the file names: as written, as it was looked for, and where. */
export interface NamedImage {
  written: string;
  reference: string;
  location: Range;
}

export const baseOf = ({ base, from, location }: Stage, reference: string): NamedImage => ({
  written: base.kind === "image" ? base.written : from.base,
  reference,
  location,
});

/** Why an image cannot be had: `name: reason`, with a stage or a common image of nearly that name. */
export function imageError(plan: BuildPlan, image: NamedImage, error: unknown): BuildError {
  const { written, reference, location } = image;
  const names = plan.stages.map(({ displayName }) => displayName).filter((name) => name !== "");
  const known = [...names, ...repositories, ...repositories.map((name) => `${name}:latest`)];
  const told = `${written}: failed to resolve source metadata for ${reference}: ${messageOf(error)}`;
  const sentence = withSuggestion(told, written, known);
  const kind = error instanceof EngineError ? error.kind : "internal";
  const lines = [{ start: location.start.line, end: location.end.line }];
  return new BuildError(kind, sentence, { lines, cause: error });
}
