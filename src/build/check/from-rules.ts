import type { Range } from "../../lib/dockerfile/ast.ts";
import type { From } from "../../lib/dockerfile/instruction.ts";
import { isKind } from "../../lib/errors.ts";
import { parsePlatform } from "../../lib/image/platform.ts";
import { nearest } from "../../lib/text/suggest.ts";
import type { Platform } from "../../types/oci.ts";
import type { GlobalArgs } from "../dockerfile/stages/global-args.ts";
import type { Linter } from "./linter.ts";

/** Rules about the variables and the platform of FROM. */
export function checkUndeclared(
  unmatched: ReadonlySet<string>,
  { values, declared }: GlobalArgs,
  place: Range,
  linter: Linter,
): void {
  const known = [...new Set([...declared.keys(), ...values.keys()])];
  for (const name of unmatched)
    if (!declared.has(name)) linter.report("UndefinedArgInFrom", place, name, nearest(name, known) ?? "");
}

export function checkPlatformFlag(
  from: From,
  { text, matched, unmatched }: { text: string; matched: Set<string>; unmatched: Set<string> },
  { values }: GlobalArgs,
  linter: Linter,
): void {
  const { location } = from.source;
  const onlyTarget = matched.size === 1 && unmatched.size === 0 && matched.has("TARGETPLATFORM");
  if (onlyTarget && text === values.get("TARGETPLATFORM"))
    linter.report("RedundantTargetPlatform", location, from.platform);
  if (matched.size > 0 || unmatched.size > 0) return;
  const platform = platformOf(text);
  const name = from.name ?? "";
  if (platform && !name.includes(platform.os) && !name.includes(platform.architecture))
    linter.report("FromPlatformFlagConstDisallowed", location, text);
}

/** One that is none fails later. */
function platformOf(text: string): Platform | undefined {
  try {
    return parsePlatform(text);
  } catch (error) {
    if (isKind(error, "invalid")) return undefined;
    throw error;
  }
}
