import type { EngineError } from "../../lib/errors.ts";
import type { BuildWarning } from "../contract.ts";
import { BuildError } from "../failure.ts";

/** A check that a mistake in the file ended, with what the rules had found until then. */
export class CheckFailed extends BuildError {
  readonly warnings: readonly BuildWarning[];

  constructor(error: EngineError, warnings: readonly BuildWarning[]) {
    super(error.kind, error.message, { lines: error instanceof BuildError ? error.lines : [], cause: error });
    this.warnings = warnings;
  }
}
