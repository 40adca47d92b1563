import { EngineError, type ErrorKind, isKind, messageOf } from "../errors.ts";
import type { Range } from "./ast.ts";

/**
 * What is wrong with a Dockerfile, and where. The message is BuildKit's sentence; who shows it adds the lines
 * (`excerpt.ts`).
 */
export class DockerfileError extends EngineError {
  readonly ranges: readonly Range[];

  constructor(
    message: string,
    ranges: readonly Range[] = [],
    options?: { cause?: unknown; kind?: ErrorKind },
  ) {
    super(options?.kind ?? "invalid", message, options);
    this.ranges = ranges;
  }
}

export const lineRange = (start: number, end = start, column = 0): Range => ({
  start: { line: start, column },
  end: { line: end, column: 0 },
});

/** Adds a place to an error that has none, and keeps its sentence and kind. */
export function located(error: unknown, ranges: readonly Range[], prefix = ""): DockerfileError {
  const own = error instanceof DockerfileError ? error.ranges : [];
  const kind = error instanceof EngineError ? error.kind : "internal";
  return new DockerfileError(prefix + messageOf(error), own.length > 0 ? own : ranges, {
    cause: error,
    kind,
  });
}

/** Runs a reader; whatever it throws of kind `invalid` gets the place. */
export function atPlace<T>(ranges: readonly Range[], read: () => T, prefix = ""): T {
  try {
    return read();
  } catch (error) {
    throw isKind(error, "invalid") ? located(error, ranges, prefix) : error;
  }
}
