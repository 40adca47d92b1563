import { IgnoreMatcher } from "../../lib/ignore/matcher.ts";
import { everything, type Filter } from "./filter.ts";

/** Patterns of an ignore file, or of `--exclude`, as a filter. */
export function filterOf(patterns: readonly string[]): Filter {
  if (patterns.length === 0) return everything;
  const matcher = new IgnoreMatcher(patterns);
  return {
    excludes: (path) => matcher.excludes(path),
    prunes: (path) => !matcher.mayReinclude(path),
  };
}
