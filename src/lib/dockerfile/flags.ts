import { EngineError } from "../errors.ts";
import { withSuggestion } from "../text/suggest.ts";

/** `--name=value` of instructions, judged against the ones an instruction knows. Errors are `invalid`. */
const invalid = (message: string): EngineError => new EngineError("invalid", message);

/** `text` may be given once, `texts` often, `flag` is true, false, or absent. */
type FlagKinds = Readonly<Record<string, "text" | "texts" | "flag">>;

export class Flags {
  private readonly values = new Map<string, string[]>();

  constructor(written: readonly string[], kinds: FlagKinds) {
    for (const flag of written) {
      const equals = flag.indexOf("=");
      const name = equals < 0 ? flag : flag.slice(0, equals);
      this.take(name.slice(2), equals < 0 ? undefined : flag.slice(equals + 1), kinds);
    }
  }

  text(name: string): string {
    return this.values.get(name)?.[0] ?? "";
  }

  texts(name: string): string[] {
    return this.values.get(name) ?? [];
  }

  flag(name: string): boolean | undefined {
    const value = this.values.get(name)?.[0];
    return value === undefined ? undefined : value === "true";
  }

  private take(name: string, value: string | undefined, kinds: FlagKinds): void {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined)
      throw invalid(withSuggestion(`unknown flag: --${name}`, name, Object.keys(kinds)));
    if (this.values.has(name) && kind !== "texts") throw invalid(`duplicate flag specified: --${name}`);
    if (kind === "flag" ? value === "" : value === undefined)
      throw invalid(`missing a value on flag: --${name}`);
    const stored = kind === "flag" ? truth(name, value ?? "true") : (value ?? "");
    this.values.set(name, [...this.texts(name), stored]);
  }
}

function truth(name: string, value: string): string {
  const lower = value.toLowerCase();
  if (lower === "true" || lower === "false") return lower;
  throw invalid(`expecting boolean value for flag --${name}, not: ${value}`);
}
