import { BuildError } from "../../build/failure.ts";
import { StepFailure } from "../../build/solver/step-failure.ts";
import { messageOf } from "../../lib/errors.ts";
import type { JsonMessage } from "../../types/api.ts";

/** A failure as the last message: a step's with its exit code, in the classic builder's words. */
export function failureMessage(error: unknown): JsonMessage {
  const cause = error instanceof BuildError ? error.cause : error;
  if (cause instanceof StepFailure) {
    const message = `The command '${cause.args.join(" ")}' returned a non-zero code: ${cause.exitCode}`;
    return { errorDetail: { code: cause.exitCode, message }, error: message };
  }
  const message = messageOf(error);
  return { errorDetail: { message }, error: message };
}
