import type { Directive } from "./ast.ts";
import { DockerfileError, lineRange } from "./error.ts";

/**
 * Parser directives: `# name=value` lines at the very top, each once
 * (https://docs.docker.com/reference/dockerfile/#parser-directives).
 */
const names: readonly string[] = ["syntax", "escape", "check"];

export class DirectiveReader {
  readonly found: Directive[] = [];
  private readonly prefix: string;
  private done = false;

  constructor(prefix = "#") {
    this.prefix = prefix;
  }

  /** True while the line is a directive; the first line that is none ends the search. */
  take(line: string, number: number): boolean {
    if (this.done) return false;
    const directive = this.parse(line);
    if (directive === undefined) {
      this.done = true;
      return false;
    }
    if (this.found.some((each) => each.name === directive.name))
      // BuildKit's excerpt marks the line above
      throw new DockerfileError(`only one ${directive.name} parser directive can be used`, [
        lineRange(number - 1),
      ]);
    this.found.push({ ...directive, line: number });
    return true;
  }

  private parse(line: string): Omit<Directive, "line"> | undefined {
    if (!line.startsWith(this.prefix)) return undefined;
    const rest = line.slice(this.prefix.length).trim();
    const [, key = "", value = ""] = /^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+)$/.exec(rest) ?? [];
    const name = key.toLowerCase();
    return names.includes(name) ? { name: name as Directive["name"], value } : undefined;
  }
}

/** The directives at the top of a text; reading ends at whatever is none. */
export function directivesOf(text: string, prefix = "#"): readonly Directive[] {
  const reader = new DirectiveReader(prefix);
  for (let at = 0, number = 1; at < text.length; number++) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end);
    if (!takeQuietly(reader, line, number)) break;
    at = end < 0 ? text.length : end + 1;
  }
  return reader.found;
}

function takeQuietly(reader: DirectiveReader, line: string, number: number): boolean {
  try {
    return reader.take(line, number);
  } catch (error) {
    // a second one of a kind is told when the file itself is parsed
    if (error instanceof DockerfileError) return false;
    throw error;
  }
}
