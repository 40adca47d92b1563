import { DockerfileError } from "../../../lib/dockerfile/error.ts";
import { EngineError } from "../../../lib/errors.ts";
import { withSuggestion } from "../../../lib/text/suggest.ts";
import type { Stage } from "./stage.ts";

/** The stage that `--target` names, by name alone; the last where it names none. */
export function findTarget(stages: readonly Stage[], target: string | undefined, suggests = true): Stage {
  if (target !== undefined && target !== "") {
    const wanted = target.toLowerCase();
    const found = stages.findLast(({ name }) => name === wanted);
    if (found) return found;
    const names = stages.map(({ name, index }) => name ?? `stage-${index}`);
    const sentence = `target stage ${JSON.stringify(target)} could not be found`;
    throw new EngineError("invalid", suggests ? withSuggestion(sentence, target, names) : sentence);
  }
  const last = stages.at(-1);
  if (last === undefined) throw new DockerfileError("dockerfile contains no stages to build");
  return last;
}
