import { EngineError } from "../../lib/errors.ts";

/** A step's process ended with another code than 0. */
export class StepFailure extends EngineError {
  readonly args: readonly string[];
  readonly exitCode: number;
  /** name of the image that holds what it had written, where that was kept */
  kept: string | undefined;

  constructor(args: readonly string[], exitCode: number) {
    super(
      "invalid",
      `process ${JSON.stringify(args.join(" "))} did not complete successfully: exit code: ${exitCode}`,
    );
    this.args = args;
    this.exitCode = exitCode;
    this.kept = undefined;
  }
}
