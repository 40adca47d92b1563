import type { Copy, Run } from "../../../lib/dockerfile/instruction.ts";
import type { StageState } from "../state.ts";
import { stageIndex, stageNames } from "./circles.ts";
import { imageOrContext, type SourceRef } from "./sources.ts";

/** What `--from` or a mount's `from` means: a stage, `scratch`, a named context, else an image. */
export function sourceOf({ plan }: StageState, instruction: Copy | Run, from: string): SourceRef {
  const { stages, settings } = plan;
  const index = stageIndex(instruction, from, stages.length, stageNames(stages));
  if (index !== undefined) return { kind: "stage", index };
  if (from === "scratch") return { kind: "scratch" };
  const found = imageOrContext(from, settings);
  return found.kind === "image" ? found : { kind: "named", name: found.name };
}
