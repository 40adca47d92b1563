/**
 * Go's text/template, as far as `--format` options need it: the whole grammar, Go's functions and docker's, and
 * Go's error texts. `Template.parse(text).render(data)`.
 */
import { evaluate } from "./evaluate.ts";
import { builtins, dockerFunctions, type TemplateFunction } from "./functions.ts";
import { type ParsedTemplate, parse } from "./parser.ts";
import type { Value } from "./values.ts";

interface TemplateOptions {
  name?: string;
  functions?: Record<string, TemplateFunction>;
  strictKeys?: boolean;
}

export class Template {
  private readonly parsed: ParsedTemplate;
  private readonly source: string;
  private readonly options: Required<TemplateOptions>;

  private constructor(source: string, parsed: ParsedTemplate, options: Required<TemplateOptions>) {
    this.source = source;
    this.parsed = parsed;
    this.options = options;
  }

  static parse(source: string, options: TemplateOptions = {}): Template {
    const functions = { ...builtins, ...dockerFunctions, ...options.functions };
    const complete = { name: options.name ?? "", functions, strictKeys: options.strictKeys ?? false };
    return new Template(
      source,
      parse(source, complete.name, (name) => Object.hasOwn(functions, name)),
      complete,
    );
  }

  /** The same template with other functions, e.g. those of a header row. */
  with(options: TemplateOptions): Template {
    const functions = { ...this.options.functions, ...options.functions };
    return new Template(this.source, this.parsed, { ...this.options, ...options, functions });
  }

  render(data: Value): string {
    return evaluate(this.parsed, data, { ...this.options, source: this.source });
  }
}
