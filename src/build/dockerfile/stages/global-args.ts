import type { Range } from "../../../lib/dockerfile/ast.ts";
import { atPlace } from "../../../lib/dockerfile/error.ts";
import type { Arg, ArgDefinition } from "../../../lib/dockerfile/instruction.ts";
import { ExpansionBudget } from "../../../lib/dockerfile/substitution.ts";
import { expand } from "../../../lib/dockerfile/words.ts";
import { isKind } from "../../../lib/errors.ts";
import { formatPlatform } from "../../../lib/image/platform.ts";
import { parseReference } from "../../../lib/image/reference.ts";
import type { Platform } from "../../../types/oci.ts";
import type { Linter } from "../../check/linter.ts";
import type { LanguageSettings } from "./settings.ts";
import type { StagePart } from "./split-stages.ts";

/** The ARGs before the first FROM, and those that every build has. */
export interface GlobalArgs {
  values: Map<string, string>;
  /** those of the file, for `--call outline` */
  declared: Map<string, DeclaredArg>;
  /** of every word of the file */
  budget: ExpansionBudget;
  /** of variables, in all that the file's RUN instructions are told */
  told: { characters: number };
}

interface DeclaredArg {
  definition: ArgDefinition;
  value: string | undefined;
  location: Range;
  /** variables that its default names */
  uses: ReadonlySet<string>;
}

export function readGlobalArgs(
  globals: readonly Arg[],
  parts: readonly StagePart[],
  settings: LanguageSettings,
  linter: Linter,
): GlobalArgs {
  const predefined = predefinedArgs(settings, parts);
  checkDefaults(globals, parts, predefined, linter);
  return declare(globals, predefined, settings.buildArgs);
}

function predefinedArgs(settings: LanguageSettings, parts: readonly StagePart[]): Map<string, string> {
  const target = settings.target ?? parts.at(-1)?.from.name ?? "";
  const args = new Map([
    ...platformArgs("BUILD", settings.buildPlatform),
    ...platformArgs("TARGET", settings.targetPlatform),
    ["TARGETSTAGE", target === "" ? "default" : target] as const,
  ]);
  for (const name of args.keys()) {
    const given = settings.buildArgs.get(name);
    if (given !== undefined) args.set(name, given);
  }
  return args;
}

const platformArgs = (prefix: string, platform: Platform): [string, string][] => [
  [`${prefix}PLATFORM`, formatPlatform(platform)],
  [`${prefix}OS`, platform.os],
  [`${prefix}OSVERSION`, platform["os.version"] ?? ""],
  [`${prefix}ARCH`, platform.architecture],
  [`${prefix}VARIANT`, platform.variant ?? ""],
];

function declare(
  globals: readonly Arg[],
  predefined: ReadonlyMap<string, string>,
  given: ReadonlyMap<string, string>,
): GlobalArgs {
  const values = new Map(predefined);
  const budget = new ExpansionBudget();
  const declared = new Map<string, DeclaredArg>();
  for (const { args, source } of globals)
    for (const definition of args) {
      const { key, value: written } = definition;
      const fixed = given.get(key);
      const result =
        fixed === undefined && written !== undefined
          ? atPlace([source.location], () => expand(written, values, { escapeToken: source.escape, budget }))
          : undefined;
      const value = fixed ?? result?.text;
      const own = new Set<string>(result?.matched);
      const uses = own.delete(key) ? own.union(declared.get(key)?.uses ?? new Set<string>()) : own;
      if (value !== undefined) values.set(key, value);
      declared.set(key, { definition, value, location: source.location, uses });
    }
  return { values, declared, budget, told: { characters: 0 } };
}

/** Base images must also have a name when no argument is given. */
function checkDefaults(
  globals: readonly Arg[],
  parts: readonly StagePart[],
  predefined: ReadonlyMap<string, string>,
  linter: Linter,
): void {
  try {
    const { values, budget } = declare(globals, predefined, new Map());
    for (const { from } of parts) {
      const { text } = expand(from.base, values, { escapeToken: from.source.escape, budget });
      if (!isReference(text)) linter.report("InvalidDefaultArgInFrom", from.source.location, from.base);
    }
  } catch (error) {
    // the same is wrong with the arguments given, and told then
    if (!isKind(error, "invalid")) throw error;
  }
}

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch (error) {
    if (isKind(error, "invalid")) return false;
    throw error;
  }
}
