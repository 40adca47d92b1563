import type { Range } from "../../lib/dockerfile/ast.ts";
import type { Instruction } from "../../lib/dockerfile/instruction.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { BuildError } from "../failure.ts";

/** Why an image cannot be had: the registry's reason alone, or which COPY names it. */
export function imageFailure(error: unknown, from: Range): unknown {
  if (!(error instanceof BuildError) || !(error.cause instanceof EngineError)) return error;
  const { kind, lines, message, cause } = error;
  const at = message.indexOf(": failed to resolve source metadata for ");
  if (at < 0) return error;
  const reason = messageOf(cause);
  const isFrom = lines.some(({ start }) => start === from.start.line);
  const sentence = isFrom ? reason : `invalid from flag value ${message.slice(0, at)}: ${reason}`;
  return new BuildError(kind, sentence, { lines, cause: undefined });
}

/** Why a COPY or ADD failed, in the classic builder's words; any other failure as it is. */
export function copyFailure(error: unknown, instruction: Instruction): unknown {
  if (instruction.kind !== "copy" && instruction.kind !== "add") return error;
  const cause = deepest(error);
  if (!(error instanceof BuildError) || !(cause instanceof EngineError)) return error;
  const from = instruction.kind === "copy" ? instruction.from : "";
  const sentence = sentenceOf(cause, { kind: instruction.kind, from });
  if (sentence === undefined) return error;
  const { kind, lines, vertex } = error;
  return new BuildError(kind, sentence, { lines, vertex });
}

function sentenceOf(cause: EngineError, { kind, from }: { kind: string; from: string }): string | undefined {
  const message = messageOf(cause);
  if (message.startsWith("unable to convert uid/gid chown string")) return message;
  const reason = reasonOf(cause, message, from !== "");
  return reason === undefined ? undefined : `${kind.toUpperCase()} failed: ${reason}`;
}

function reasonOf(cause: EngineError, message: string, fromStage: boolean): string | undefined {
  const missing = /^"\/(.*)": not found$/.exec(message)?.[1];
  if (missing !== undefined)
    return `${fromStage ? "" : "file not found in build context or excluded by .dockerignore: "}stat ${missing}: file does not exist`;
  if (message === "no source files were specified" || cause.kind === "unavailable") return message;
  return undefined;
}

function deepest(error: unknown): unknown {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof EngineError) cause = cause.cause;
  return cause;
}
