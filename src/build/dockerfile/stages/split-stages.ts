import type { ParsedDockerfile } from "../../../lib/dockerfile/ast.ts";
import { decodeInstruction } from "../../../lib/dockerfile/decode.ts";
import { DockerfileError } from "../../../lib/dockerfile/error.ts";
import type { Arg, From, Instruction } from "../../../lib/dockerfile/instruction.ts";
import { EngineError } from "../../../lib/errors.ts";

/** A FROM and what follows it. */
export interface StagePart {
  from: From;
  instructions: Instruction[];
}

const stagesMax = 1000;

/** Cuts the file at its FROMs; before the first there may only be ARGs. `visit` sees each instruction that is right. */
export function splitStages(
  parsed: ParsedDockerfile,
  visit: (instruction: Instruction) => void,
): { globals: Arg[]; parts: StagePart[] } {
  const globals: Arg[] = [];
  const parts: StagePart[] = [];
  for (const source of parsed.instructions) {
    const instruction = decodeInstruction(source);
    visit(instruction);
    const open = parts.at(-1);
    if (instruction.kind === "from") parts.push({ from: instruction, instructions: [] });
    else if (open) open.instructions.push(instruction);
    else if (instruction.kind === "arg") globals.push(instruction);
    else throw new DockerfileError("no build stage in current context", [source.location]);
    if (parts.length > stagesMax)
      throw new EngineError("tooLarge", `the Dockerfile holds more than ${stagesMax} stages`);
  }
  if (parts.length === 0) throw new DockerfileError("dockerfile contains no stages to build");
  return { globals, parts };
}
