import { EngineError } from "../../lib/errors.ts";
import { compilePattern } from "../../lib/text/pattern.ts";
import type { HealthConfig } from "../../types/api.ts";

/**
 * What a health check does: `Healthcheck.Test`, read. Docker's kinds run a command in the container; `TCP`, `HTTP` and
 * `LOG` are the engine's own and need no tool in the image.
 *
 *     ["CMD", path, arg…]  ["CMD-SHELL", line]  ["TCP", "5432"]  ["HTTP", "8080/healthz"]  ["LOG", "ready in \\d+ms"]
 */
export type HealthTest =
  | { kind: "command"; command: readonly [string, ...string[]] }
  | { kind: "tcp"; port: number }
  /** `port` undefined: the one the container exposes, else 80 */
  | { kind: "http"; port: number | undefined; path: string }
  | { kind: "log"; matches: (line: string) => boolean };

const invalid = (message: string): EngineError => new EngineError("invalid", message);

/** Undefined where nothing is checked; a kind that is not known checks nothing, as in Docker. */
export function readTest(check: HealthConfig, shell: readonly string[] | undefined): HealthTest | undefined {
  const [kind, ...rest] = check.Test ?? [];
  const [first, ...others] = rest;
  switch (kind) {
    case "CMD":
      return first === undefined ? undefined : { kind: "command", command: [first, ...others] };
    case "CMD-SHELL": {
      if (first === undefined) return undefined;
      const [program = "/bin/sh", ...options] = shell ?? ["/bin/sh", "-c"];
      return { kind: "command", command: [program, ...options, first] };
    }
    case "TCP":
      return { kind: "tcp", port: portOf(single(kind, rest)) };
    case "HTTP":
      return httpOf(single(kind, rest));
    case "LOG":
      return { kind: "log", matches: patternOf(single(kind, rest)) };
    default:
      return undefined;
  }
}

function single(kind: string, words: readonly string[]): string {
  const [word] = words;
  if (words.length !== 1 || word === undefined || word === "")
    throw invalid(`a health check of kind ${kind} takes one argument`);
  return word;
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw invalid(`invalid port of a health check: ${JSON.stringify(text)}`);
  return port;
}

function httpOf(text: string): HealthTest {
  const at = text.indexOf("/");
  const [port, path] = at < 0 ? [text, "/"] : [text.slice(0, at), text.slice(at)];
  // what goes into a request line must not end it
  if (!/^[\x21-\x7e]+$/.test(path)) throw invalid(`invalid path of a health check: ${JSON.stringify(path)}`);
  return { kind: "http", port: port === "" ? undefined : portOf(port), path };
}

function patternOf(text: string): (line: string) => boolean {
  const matches = compilePattern(text);
  if (!matches) throw invalid(`invalid regular expression of a health check: ${JSON.stringify(text)}`);
  return matches;
}
