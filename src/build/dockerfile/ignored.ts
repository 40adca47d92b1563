import { IgnoreMatcher } from "../../lib/ignore/matcher.ts";
import type { Linter } from "../check/linter.ts";
import type { BuildRequest } from "../contract.ts";
import type { LanguageSettings } from "./stages/settings.ts";

/**
 * What `CopyIgnoredFile` asks; nothing where that rule is off, as it is unless a Dockerfile turns it on: the context is not
 * opened for it.
 */
export async function ignoredIn(
  { context, signal }: Pick<BuildRequest, "context" | "signal">,
  linter: Linter | undefined,
): Promise<Pick<LanguageSettings, "isIgnored">> {
  if (context === undefined || !linter?.isOn("CopyIgnoredFile")) return {};
  const open = await context.open({ include: [".dockerignore"], signal });
  try {
    const matcher = new IgnoreMatcher(open.ignore);
    return { isIgnored: (path) => matcher.excludes(path) };
  } finally {
    await open.close();
  }
}
