import type { Instruction } from "../../lib/dockerfile/instruction.ts";
import { type Environment, type Expansion, expand, type WordOptions } from "../../lib/dockerfile/words.ts";
import { EngineError, isKind } from "../../lib/errors.ts";
import { formatPlatform, normalise, parsePlatform } from "../../lib/image/platform.ts";
import { nearest } from "../../lib/text/suggest.ts";
import type { ImageRunConfig, Platform } from "../../types/oci.ts";
import type { RuleName } from "../check/rules.ts";
import { classicNop } from "./classic-history.ts";
import type { BuildPlan } from "./stages/plan.ts";
import type { Stage } from "./stages/stage.ts";
import type { BuildArg, StageHistory, StageUsage, Step } from "./steps.ts";

/** Every RUN is told all of them; Linux starts no program with as much. */
const variablesMax = 4000;
/** Characters of variables that all RUN instructions of a file are told: each keeps them with its step, and hashes them. */
const toldMax = 32 << 20;

/** A stage while its instructions are put in one after another. */
export class StageState {
  readonly plan: BuildPlan;
  readonly stage: Stage;
  readonly environment: Map<string, string>;
  readonly args: BuildArg[];
  readonly steps: Step[] = [];
  readonly history: StageHistory[] = [];
  readonly triggers: string[] = [];
  readonly usage: OpenUsage;
  config: ImageRunConfig;
  author: string | undefined;
  workdirSet: boolean;
  /** where CMD, ENTRYPOINT and HEALTHCHECK stood last in this stage */
  readonly last = new Map<string, Instruction>();
  /** steps that the names count */
  total = 0;
  isTrigger = false;
  /** the one that is put in */
  instruction: Instruction | undefined;
  private counted = 0;
  /** where each variable stands in the configuration */
  private readonly places: Map<string, number>;
  /** those of the configuration, where a name may be anything */
  private labels: Record<string, string> | undefined;
  /** the history holds the lists of the configuration as they are */
  private isKept = false;
  /** of `environment`, until it changes */
  private told: readonly string[] | undefined;

  constructor(plan: BuildPlan, stage: Stage, begin: StageBegin) {
    this.plan = plan;
    this.stage = stage;
    this.config = structuredClone(begin.config);
    this.places = new Map(
      (this.config.Env ?? []).map((entry, place) => [entry.split("=", 1)[0] ?? "", place]),
    );
    this.author = begin.author;
    this.environment = new Map(begin.environment);
    this.args = [...begin.args];
    this.workdirSet = begin.workdirSet;
    const { args, usedArgs, secrets, ssh } = begin.usage;
    this.usage = {
      args: new Map(args),
      usedArgs: new Set(usedArgs),
      secrets: new Map(secrets),
      ssh: new Map(ssh),
    };
  }

  setVariable(key: string, value: string): void {
    this.own();
    this.config.Env ??= [];
    const place = this.places.get(key) ?? this.config.Env.length;
    if (place >= variablesMax)
      throw new EngineError("tooLarge", `there are more than ${variablesMax} variables`);
    this.config.Env[place] = `${key}=${value}`;
    this.places.set(key, place);
    this.setForSteps(key, value);
  }

  /** What steps see, and the image does not. */
  setForSteps(key: string, value: string): void {
    this.environment.set(key, value);
    this.told = undefined;
  }

  /** The variables as a step is told them. */
  variables(): readonly string[] {
    this.told ??= [...this.environment].map(([key, value]) => `${key}=${value}`);
    const { told } = this.plan.globalArgs;
    told.characters += this.told.reduce((sum, { length }) => sum + length, 0);
    if (told.characters > toldMax)
      throw new EngineError("tooLarge", "the RUN instructions have more variables in all than can be kept");
    return this.told;
  }

  setLabels(added: readonly { key: string; value: string }[]): void {
    this.own();
    this.labels ??= Object.assign(Object.create(null) as Record<string, string>, this.config.Labels);
    for (const { key, value } of added) this.labels[key] = value;
    this.config.Labels = this.labels;
  }

  /** Puts variables in; what is not defined is told by the rules. */
  expand(instruction: Instruction, text: string): string {
    const expansion = this.expandQuietly(text, { escapeToken: instruction.source.escape });
    this.tellUndefined(instruction, expansion);
    return expansion.text;
  }

  expandQuietly(text: string, options: WordOptions): Expansion {
    return expand(text, this.environment, { ...options, budget: this.plan.globalArgs.budget });
  }

  /** A text for people: as it is where its variables cannot be put in. */
  shown(text: string, options: WordOptions, environment: Environment = this.environment): string {
    try {
      return expand(text, environment, { ...options, budget: this.plan.globalArgs.budget }).text;
    } catch (error) {
      if (isKind(error, "invalid")) return text;
      throw error;
    }
  }

  tellUndefined(instruction: Instruction, { unmatched }: Expansion): void {
    for (const name of unmatched) {
      if (this.args.some(({ key }) => key === name) || sbomArgs.includes(name)) continue;
      this.report("UndefinedVar", instruction, name, nearest(name, [...this.environment.keys()]) ?? "");
    }
  }

  report(rule: RuleName, { source }: Instruction, ...details: string[]): void {
    this.plan.linter.report(rule, source.location, ...details);
  }

  /** `inClassic`: what the classic builder says of it, behind its `#(nop) ` */
  commit(createdBy: string, inClassic = ` ${createdBy}`): void {
    const told = this.isClassic ? classicNop(this.config.Shell, inClassic) : createdBy;
    this.history.push({ createdBy: told, emptyLayer: true, step: undefined, ...this.here() });
  }

  add(step: Step): void {
    const { createdBy } = step;
    this.history.push({ createdBy, emptyLayer: false, step: this.steps.length, ...this.here() });
    this.steps.push(step);
  }

  /** The instruction cannot be done. */
  fail(failure: Error): void {
    this.history.push({ createdBy: "", emptyLayer: true, step: undefined, ...this.here(), failure });
  }

  get isClassic(): boolean {
    return this.plan.settings.classic === true;
  }

  /** Whether ENV set a variable: the classic builder lets no ARG change it. */
  isFixed(key: string): boolean {
    return this.isClassic && (this.config.Env ?? []).some((entry) => entry.startsWith(`${key}=`));
  }

  /** Variables and labels are changed in place, but those that the history keeps. */
  private own(): void {
    if (!this.isKept) return;
    this.isKept = false;
    if (this.config.Env) this.config.Env = [...this.config.Env];
    if (this.labels) this.labels = Object.assign(Object.create(null) as Record<string, string>, this.labels);
  }

  private here(): Pick<StageHistory, "instruction" | "isTrigger" | "config" | "author"> {
    const { triggers, isTrigger, author } = this;
    const config = this.isClassic ? { ...this.config } : this.config;
    this.isKept = this.isClassic;
    if (this.instruction === undefined) throw new EngineError("internal", "no instruction is put in");
    return {
      instruction: this.instruction,
      isTrigger,
      author,
      config: triggers.length === 0 ? config : { ...config, OnBuild: [...triggers] },
    };
  }

  /** "[linux/arm64 build 2/4] RUN make" */
  stepName(text: string): string {
    if (this.total === 0) return text;
    this.counted++;
    const { displayName, platform } = this.stage;
    const width = Math.trunc(1 + Math.log10(this.total));
    const shown = [
      ...(this.plan.settings.namesPlatform ? [formatPlatform(platform) + this.crossTarget(platform)] : []),
      ...(displayName === "" ? [] : [displayName]),
      `${String(this.counted).padStart(width)}/${this.total}`,
    ];
    return `[${shown.join(" ")}] ${this.isTrigger ? "ONBUILD " : ""}${text}`;
  }

  /** `->arm64` where the stage runs on one platform and makes for another. */
  private crossTarget(platform: Platform): string {
    const target = this.targetOfVariables(platform);
    if (target === undefined) return "";
    const { os, architecture, variant } = normalise(
      target.os || platform.os,
      target.architecture || platform.architecture,
      target.variant ?? "",
    );
    if (os !== platform.os)
      return `->${formatPlatform({ os, architecture, ...(variant ? { variant } : {}) })}`;
    if (architecture === platform.architecture) return "";
    return `->${architecture}${variant ? `/${variant}` : ""}`;
  }

  private targetOfVariables(platform: Platform): Platform | undefined {
    const whole = this.environment.get("TARGETPLATFORM");
    if (whole !== undefined) {
      try {
        return parsePlatform(whole);
      } catch (error) {
        if (!isKind(error, "invalid")) throw error;
      }
    }
    const [os, architecture, variant] = ["OS", "ARCH", "VARIANT"].map((name) =>
      this.environment.get(`TARGET${name}`),
    );
    if (os === undefined && architecture === undefined && variant === undefined) return undefined;
    return {
      os: os ?? platform.os,
      architecture: architecture ?? platform.architecture,
      ...(variant ? { variant } : {}),
    };
  }
}

type Writable<T> =
  T extends ReadonlySet<infer V> ? Set<V> : T extends ReadonlyMap<infer K, infer V> ? Map<K, V> : T;

type OpenUsage = { [K in keyof StageUsage]: Writable<StageUsage[K]> };

/** Build arguments that steer the build and are no variables. */
export const sbomArgs: readonly string[] = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

export interface StageBegin {
  config: ImageRunConfig;
  author: string | undefined;
  environment: ReadonlyMap<string, string>;
  args: readonly BuildArg[];
  workdirSet: boolean;
  usage: StageUsage;
}

/** The name as shown: first word in capitals. */
export const withCapitals = (text: string): string => text.replace(/^[^ ]*/, (word) => word.toUpperCase());
