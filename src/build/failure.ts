import { EngineError, type ErrorKind } from "../lib/errors.ts";

/** Failed while a step was looked at, but no fault of its line: told without an excerpt of the Dockerfile. */
export class UnplacedError extends EngineError {}

/**
 * A build that failed at a place in its Dockerfile: one that is wrong, or a step that did not succeed. The message is
 * Docker's sentence; the front doors show the excerpt with its marked lines beside it.
 */
export class BuildError extends EngineError {
  /** 1-based lines that the excerpt marks */
  readonly lines: readonly { start: number; end: number }[];
  /** digest of the failed step's vertex */
  readonly vertex: string | undefined;
  /** of the step's process, when it is that which failed */
  readonly exitCode: number | undefined;
  /** name of the image that holds what the step had written */
  readonly kept: string | undefined;

  constructor(
    kind: ErrorKind,
    message: string,
    place: {
      lines: readonly { start: number; end: number }[];
      vertex?: string | undefined;
      exitCode?: number | undefined;
      kept?: string | undefined;
      cause?: unknown;
    },
  ) {
    super(kind, message, { cause: place.cause });
    this.lines = place.lines;
    this.vertex = place.vertex;
    this.exitCode = place.exitCode;
    this.kept = place.kept;
  }
}
