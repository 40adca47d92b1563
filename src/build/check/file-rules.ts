import { plainWords } from "../../lib/dockerfile/arguments.ts";
import type { ParsedDockerfile, ParsedInstruction } from "../../lib/dockerfile/ast.ts";
import { lineRange } from "../../lib/dockerfile/error.ts";
import type { From, Instruction } from "../../lib/dockerfile/instruction.ts";
import type { StagePart } from "../dockerfile/stages/split-stages.ts";
import type { Linter } from "./linter.ts";

/** Rules that need no more than the file itself. */
export function checkLines(parsed: ParsedDockerfile, linter: Linter): void {
  for (const line of parsed.emptyContinuations) linter.report("NoEmptyContinuation", lineRange(line));
}

export function checkStages(parts: readonly StagePart[], linter: Linter): void {
  checkStageNames(parts, linter);
  checkCasing(parts, linter);
}

const isLower = (text: string): boolean => text === text.toLowerCase();
const isUpper = (text: string): boolean => text === text.toUpperCase();

export function checkInstruction(instruction: Instruction, linter: Linter): void {
  const { source } = instruction;
  if (instruction.kind === "from") checkFrom(instruction, linter);
  if (instruction.kind === "maintainer") linter.report("MaintainerDeprecated", source.location);
  if (instruction.kind === "arg")
    checkDescription(
      "ARG",
      instruction.args.map(({ key }) => key),
      source,
      linter,
    );
}

function checkFrom({ source, name }: From, linter: Linter): void {
  const [, as = "", stage = ""] = plainWords(source.rest);
  if (!isLower(stage)) linter.report("StageNameCasing", source.location, stage);
  const matches = isLower(source.name) ? isLower(as) : !isUpper(source.name) || isUpper(as);
  if (as !== "" && !matches) linter.report("FromAsCasing", source.location, source.name, as);
  if (name !== undefined) checkDescription("FROM", [name], source, linter);
}

function checkDescription(
  instruction: string,
  names: readonly string[],
  { comments, location }: ParsedInstruction,
  linter: Linter,
): void {
  const [first = ""] = names;
  const word = comments.at(-1)?.split(" ", 1)[0];
  if (word === undefined || names.length === 0 || names.includes(word)) return;
  const example = names.length > 1 ? "<arg_key>" : first;
  linter.report("InvalidDefinitionDescription", location, instruction, example);
}

const reserved: readonly string[] = ["context", "scratch"];

function checkStageNames(parts: readonly StagePart[], linter: Linter): void {
  const seen = new Set<string>();
  for (const { from } of parts) {
    if (from.name === undefined) continue;
    if (reserved.includes(from.name)) linter.report("ReservedStageName", from.source.location, from.name);
    if (seen.has(from.name)) linter.report("DuplicateStageName", from.source.location, from.name);
    seen.add(from.name);
  }
}

function checkCasing(parts: readonly StagePart[], linter: Linter): void {
  const sources = parts.flatMap(({ from, instructions }) => [
    from.source,
    ...instructions.map(({ source }) => source),
  ]);
  const lower = sources.filter(({ name }) => isLower(name)).length;
  const upper = sources.filter(({ name }) => isUpper(name)).length;
  const wantsLower = lower > upper;
  for (const { name, location } of sources)
    if (wantsLower ? !isLower(name) : !isUpper(name))
      linter.report("ConsistentInstructionCasing", location, name, wantsLower ? "lowercase" : "uppercase");
}
