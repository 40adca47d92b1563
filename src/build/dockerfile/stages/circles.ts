import type { Range } from "../../../lib/dockerfile/ast.ts";
import { DockerfileError } from "../../../lib/dockerfile/error.ts";
import type { Instruction } from "../../../lib/dockerfile/instruction.ts";
import { expand } from "../../../lib/dockerfile/words.ts";
import { EngineError } from "../../../lib/errors.ts";
import { sourceNames } from "./sources.ts";
import type { Stage } from "./stage.ts";

interface Edge {
  to: number;
  location: Range;
}

/** Stages whose COPYs and mounts lead back to themselves cannot be built; told from the last on the way to the first. */
export function refuseCircles(stages: readonly Stage[]): void {
  const byName = stageNames(stages);
  const edges = stages.map((stage) => edgesOf(stage, stages.length, byName));
  const done = new Set<number>();
  for (const { index, displayName, name } of stages) {
    const path = circleFrom(index, edges, done);
    if (path === undefined) continue;
    const shown = displayName === "" ? (name ?? `stage-${index}`) : displayName;
    throw new DockerfileError(
      `circular dependency detected on stage: ${shown}`,
      path.map(({ location }) => location).toReversed(),
    );
  }
}

/** Which stage a name means: the last of that name. */
export const stageNames = (stages: readonly Stage[]): Map<string, number> =>
  new Map(stages.flatMap(({ name, index }) => (name === undefined ? [] : [[name, index] as const])));

function edgesOf(stage: Stage, count: number, byName: ReadonlyMap<string, number>): Edge[] {
  return stage.instructions.flatMap((instruction) =>
    sourceNames(instruction).flatMap((written) => {
      const to = stageIndex(instruction, written, count, byName);
      return to === undefined ? [] : [{ to, location: instruction.source.location }];
    }),
  );
}

/** The stage that `--from` means, by name or, for COPY, by number; undefined for an image or context. */
export function stageIndex(
  instruction: Instruction,
  written: string,
  count: number,
  byName: ReadonlyMap<string, number>,
): number | undefined {
  if (instruction.kind === "copy") {
    refuseVariables(written);
    if (/^[+-]?\d+$/.test(written)) {
      const index = Number(written);
      if (index >= 0 && index < count) return index;
      throw new EngineError("invalid", `invalid stage index ${index}`);
    }
  }
  return byName.get(written.toLowerCase());
}

function refuseVariables(from: string): void {
  if (expand(from, new Map()).text === from) return;
  throw new EngineError(
    "invalid",
    "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
  );
}

/** Depth first with a stack of our own: a file may hold many stages. */
function circleFrom(start: number, edges: readonly Edge[][], done: Set<number>): Edge[] | undefined {
  if (done.has(start)) return undefined;
  const path = [{ index: start, next: 0, by: undefined as Edge | undefined }];
  done.add(start);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const edge = edges[top.index]?.[top.next++];
    if (edge === undefined) path.pop();
    else if (path.some(({ index }) => index === edge.to))
      return [...path.flatMap(({ by }) => by ?? []), edge];
    else if (!done.has(edge.to)) {
      done.add(edge.to);
      path.push({ index: edge.to, next: 0, by: edge });
    }
  }
  return undefined;
}
