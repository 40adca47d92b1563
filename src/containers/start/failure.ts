import { EngineError, messageOf } from "../../lib/errors.ts";
import { StartFailure } from "../../runtime/oci-runtime/failure.ts";

/** Docker's code for a start that failed for a reason other than its command. */
const unknownExitCode = 128;

/**
 * How a process that could not be started is told: the sentence, and the exit code that stays with it. How it ended
 * `before` stays, unless it was well or the runtime has a code for what is wrong with the command.
 */
export function failureOf(error: unknown, before = 0): { error: EngineError; exitCode: number } {
  return {
    error:
      error instanceof EngineError ? error : new EngineError("internal", messageOf(error), { cause: error }),
    exitCode: (error instanceof StartFailure ? error.exitCode : undefined) ?? (before || unknownExitCode),
  };
}
