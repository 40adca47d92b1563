import { EngineError } from "../../lib/errors.ts";
import { everything, type Filter } from "./filter.ts";

/** Patterns of an ignore file, or of `--exclude`, as a filter. */
export function filterOf(patterns: readonly string[]): Filter {
  if (patterns.length === 0) return everything;
  throw new EngineError("notImplemented", "ignore patterns are not built yet");
}
