import type { Range } from "../../lib/dockerfile/ast.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { canonical, parseReference, withDefaultTag } from "../../lib/image/reference.ts";
import { withSuggestion } from "../../lib/text/suggest.ts";
import { BuildError } from "../failure.ts";
import type { BuildPlan } from "./stages/plan.ts";
import type { Stage } from "./stages/stage.ts";

const repositories = ["alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora"];

/** An image that the file names: as written, as it was looked for, and where. */
export interface NamedImage {
  /** undefined = a `--build-context` puts it there */
  written: string | undefined;
  reference: string;
  /** of a mount, BuildKit tells none */
  location: Range | undefined;
}

export const baseOf = ({ base, from, location }: Stage, reference: string): NamedImage => ({
  written: base.kind === "context" ? undefined : base.kind === "image" ? base.written : from.base,
  reference,
  location,
});

/** A registry that cannot be reached, as BuildKit says it: by the request that it would begin with. */
export function withManifestRequest(error: unknown, reference: string): unknown {
  if (!(error instanceof EngineError)) return error;
  const [, host, why] = /^Get "https?:\/\/([^/"]+)\/v2\/": (.+)$/s.exec(error.message) ?? [];
  if (host === undefined || why === undefined) return error;
  const { path, tag, digest } = withDefaultTag(parseReference(reference));
  const url = `https://${host}/v2/${path}/manifests/${digest ?? tag}`;
  return new EngineError(error.kind, `failed to do request: Head "${url}": ${why}`, { cause: error });
}

/** Why an image cannot be had: `name: reason`, with a stage or a common image of nearly that name. */
export function imageError(plan: BuildPlan, image: NamedImage, error: unknown): BuildError {
  const { written, reference, location } = image;
  const names = plan.stages.map(({ displayName }) => displayName).filter((name) => name !== "");
  const known = [...names, ...repositories, ...repositories.map((name) => `${name}:latest`)];
  const shown = canonical(withDefaultTag(parseReference(reference)));
  const told = `failed to resolve source metadata for ${shown}: ${messageOf(error)}`;
  const sentence = written === undefined ? told : withSuggestion(`${written}: ${told}`, written, known);
  const kind = error instanceof EngineError ? error.kind : "internal";
  const lines = location === undefined ? [] : [{ start: location.start.line, end: location.end.line }];
  return new BuildError(kind, sentence, { lines, cause: error });
}
