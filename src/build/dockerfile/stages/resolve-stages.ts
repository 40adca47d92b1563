import { descriptionOf } from "../../../lib/dockerfile/decode.ts";
import { atPlace, DockerfileError } from "../../../lib/dockerfile/error.ts";
import { type Expansion, expand } from "../../../lib/dockerfile/words.ts";
import { messageOf } from "../../../lib/errors.ts";
import { parsePlatform } from "../../../lib/image/platform.ts";
import { withSuggestion } from "../../../lib/text/suggest.ts";
import type { Platform } from "../../../types/oci.ts";
import { checkPlatformFlag, checkUndeclared } from "../../check/from-rules.ts";
import type { Linter } from "../../check/linter.ts";
import type { GlobalArgs } from "./global-args.ts";
import type { LanguageSettings } from "./settings.ts";
import { hasOtherSources, imageOrContext, namedContext } from "./sources.ts";
import type { StagePart } from "./split-stages.ts";
import type { Stage, StageBaseRef } from "./stage.ts";

/** Puts the global arguments into the FROMs and finds what each stage begins with. */
export function resolveStages(
  parts: readonly StagePart[],
  globals: GlobalArgs,
  settings: LanguageSettings,
  linter: Linter,
): Stage[] {
  const stages: Stage[] = [];
  const byName = new Map<string, number>();
  for (const [index, part] of parts.entries()) {
    const stage = new StageReader(part, globals, settings, linter).read(index, byName);
    stages.push(stage);
    if (stage.name !== undefined) byName.set(stage.name, index);
  }
  const [only] = stages;
  if (stages.length === 1 && only && !hasOtherSources(only.instructions, byName)) only.displayName = "";
  return stages;
}

class StageReader {
  private readonly part: StagePart;
  private readonly globals: GlobalArgs;
  private readonly settings: LanguageSettings;
  private readonly linter: Linter;

  constructor(part: StagePart, globals: GlobalArgs, settings: LanguageSettings, linter: Linter) {
    this.part = part;
    this.globals = globals;
    this.settings = settings;
    this.linter = linter;
  }

  read(index: number, byName: ReadonlyMap<string, number>): Stage {
    const { from, instructions } = this.part;
    const { location } = from.source;
    const base = this.expand(from.base);
    if (base.text === "")
      throw new DockerfileError(`base name (${from.base}) should not be blank`, [location]);
    const platform = from.platform === "" ? undefined : this.platform(from.platform);
    const context = from.name === undefined ? undefined : namedContext(from.name, this.settings);
    return {
      index,
      name: from.name,
      displayName: from.name ?? `stage-${index}`,
      base:
        context === undefined
          ? this.base(base.text, byName)
          : { kind: "context", name: context, whole: true },
      platform: platform?.value ?? this.settings.targetPlatform,
      instructions: context === undefined ? instructions : [],
      from,
      location,
      description: descriptionOf(from.source, from.name ?? ""),
      usedArgs: base.matched.union(platform?.matched ?? new Set()),
    };
  }

  private expand(text: string): Expansion {
    const { location, escape: escapeToken } = this.part.from.source;
    const expansion = atPlace([location], () =>
      expand(text, this.globals.values, { escapeToken, budget: this.globals.budget }),
    );
    checkUndeclared(expansion.unmatched, this.globals, location, this.linter);
    return expansion;
  }

  private base(text: string, byName: ReadonlyMap<string, number>): StageBaseRef {
    const index = byName.get(text);
    if (index !== undefined) return { kind: "stage", index };
    if (text === "scratch") return { kind: "scratch" };
    const found = atPlace([this.part.from.source.location], () => imageOrContext(text, this.settings));
    return found.kind === "image" ? found : { ...found, whole: false };
  }

  private platform(written: string): { value: Platform; matched: Set<string> } {
    const { location } = this.part.from.source;
    const { text, matched, unmatched } = this.expand(written);
    checkPlatformFlag(this.part.from, { text, matched, unmatched }, this.globals, this.linter);
    const suggested = (sentence: string): string => {
      const known = [...this.globals.values.keys()];
      for (const name of unmatched) {
        const told = withSuggestion(sentence, name, known);
        if (told !== sentence) return told;
      }
      return sentence;
    };
    if (text === "")
      throw new DockerfileError(suggested(`empty platform value from expression ${written}`), [location]);
    try {
      return { value: parsePlatform(text), matched };
    } catch (error) {
      const sentence = `failed to parse platform ${written}: ${suggested(messageOf(error))}`;
      throw new DockerfileError(sentence, [], { cause: error });
    }
  }
}
