import type { Range } from "../../lib/dockerfile/ast.ts";
import { EngineError } from "../../lib/errors.ts";
import type { BuildWarning } from "../contract.ts";
import { type RuleName, ruleOf, ruleUrl } from "./rules.ts";

/** `# check=skip=A,B;error=true;experimental=C`. */
interface CheckOptions {
  skip: ReadonlySet<string> | "all";
  experimental: ReadonlySet<string> | "all";
  /** a violation fails the build */
  error: boolean;
}

const invalid = (message: string): EngineError => new EngineError("invalid", message);

export function parseCheckOptions(text: string): CheckOptions {
  const options: CheckOptions = { skip: new Set(), experimental: new Set(), error: false };
  if (text.trim() === "") return options;
  const [first = "", second, ...rest] = text.split(";");
  const parts =
    second === undefined ? [first] : [first, second, ...(rest.length > 0 ? [rest.join(";")] : [])];
  for (const part of parts) {
    const equals = part.indexOf("=");
    if (equals < 0)
      throw invalid(`failed to parse check options: invalid check option ${JSON.stringify(part)}`);
    const key = part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    if (key === "skip" || key === "experimental") options[key] = namesIn(value);
    else if (key === "error") options.error = truth(part, value);
    else throw invalid(`failed to parse check options: invalid check option ${JSON.stringify(key)}`);
  }
  return options;
}

const namesIn = (value: string): ReadonlySet<string> | "all" =>
  value === "all" ? "all" : new Set(value.split(",").map((name) => name.trim()));

function truth(part: string, value: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(value)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(value)) return false;
  throw invalid(
    `failed to parse check options: failed to parse check option ${JSON.stringify(part)}: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  );
}

/** Collects what a Dockerfile does against the rules, in the order it is found. */
export class Linter {
  readonly warnings: BuildWarning[] = [];
  private told = 0;
  private readonly options: CheckOptions;
  private readonly dockerfile: string;

  constructor(dockerfile: string, options: CheckOptions) {
    this.dockerfile = dockerfile;
    this.options = options;
  }

  isOn(name: RuleName): boolean {
    const { skip, experimental } = this.options;
    if (ruleOf(name).experimental) return experimental === "all" || experimental.has(name);
    return skip !== "all" && !skip.has(name);
  }

  report(name: RuleName, place: Range, ...details: string[]): void {
    if (!this.isOn(name)) return;
    const rule = ruleOf(name);
    this.warnings.push({
      rule: name,
      short: rule.sentence(...details),
      detail: [rule.description],
      url: ruleUrl(rule),
      lines: [{ start: place.start.line, end: place.end.line }],
      dockerfile: this.dockerfile,
    });
  }

  /** Those found since this was last asked. */
  untold(): BuildWarning[] {
    const found = this.warnings.slice(this.told);
    this.told = this.warnings.length;
    return found;
  }

  /** Where the file says `error=true`, violations fail the build. */
  requireClean(): void {
    if (!this.options.error || this.warnings.length === 0) return;
    const names = [...new Set(this.warnings.map(({ rule }) => rule))];
    throw invalid(`lint violation found for rules: ${names.join(", ")}`);
  }
}
