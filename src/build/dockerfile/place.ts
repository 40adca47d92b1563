import { DockerfileError } from "../../lib/dockerfile/error.ts";
import { BuildError } from "../failure.ts";

/** Runs a reader of the language; what it finds wrong becomes a `BuildError` with its lines. */
export function withPlace<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    const lines = error.ranges.map(({ start, end }) => ({ start: start.line, end: end.line }));
    throw new BuildError(error.kind, error.message, { lines, cause: error });
  }
}
