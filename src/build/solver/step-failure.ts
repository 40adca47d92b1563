import { EngineError } from "../../lib/errors.ts";
import { StartFailure } from "../../runtime/oci-runtime/failure.ts";
import { MissingSource } from "../operations/mounts/missing-source.ts";
import { UserFailure } from "../operations/user.ts";

/** A step's process ended with another code than 0. */
export class StepFailure extends EngineError {
  readonly args: readonly string[];
  readonly exitCode: number;
  /** name of the image that holds what it had written, where that was kept */
  kept: string | undefined;

  constructor(args: readonly string[], exitCode: number) {
    super("invalid", `${unsuccessful(args)}: exit code: ${exitCode}`);
    this.args = args;
    this.exitCode = exitCode;
    this.kept = undefined;
  }
}

const unsuccessful = (args: readonly string[]): string =>
  `process ${JSON.stringify(args.join(" ")).replaceAll("\\u0000", "\\x00")} did not complete successfully`;

/** As BuildKit says that a process could not be started: its OCI runtime has told why, and ended with 1. */
export function asStepFailure(args: readonly string[], error: unknown): unknown {
  if (error instanceof StartFailure) return new StepFailure(args, 1);
  if (!(error instanceof UserFailure || error instanceof MissingSource)) return error;
  return new EngineError(error.kind, `${unsuccessful(args)}: ${error.message}`, { cause: error });
}
