import { messageOf } from "../../lib/errors.ts";
import { parseNs } from "../../lib/time/time.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { logPathIn } from "../logs/logs.ts";
import type { Probe, ProbeResult } from "./probe-result.ts";

/** what is longer is looked at in pieces: a line has no other bound */
const lineMax = 4096;

/**
 * Passes once a line that the container wrote in this run matches, and from then on: for programs that say when they
 * are ready. The log is followed until that line, and no further.
 */
export class LogProbe implements Probe {
  private readonly stopped = new AbortController();
  private found: string | undefined;
  private failure = "no line of the log matches yet";
  private changed: () => void = () => undefined;

  constructor(ctx: Context, container: Container, matches: (line: string) => boolean) {
    const logPath = logPathIn(ctx, container);
    if (logPath === undefined) {
      this.failure = "configured logging driver does not support reading";
      return;
    }
    const sinceNs = parseNs(container.life.startedAt);
    const stream = ctx.runtime.logs(
      logPath,
      {
        stdout: true,
        stderr: true,
        follow: true,
        timestamps: false,
        terminal: true,
        signal: this.stopped.signal,
        ...(sinceNs === undefined ? {} : { sinceNs }),
      },
      container.ended,
    );
    ctx.background.run(`log check of ${container.name}`, () => this.follow(stream, matches));
  }

  onChange(changed: () => void): void {
    this.changed = changed;
    if (this.found !== undefined) changed();
  }

  run(): Promise<ProbeResult> {
    return Promise.resolve(
      this.found === undefined
        ? { exitCode: 1, output: this.failure }
        : { exitCode: 0, output: `${this.found}\n` },
    );
  }

  close(): void {
    this.stopped.abort();
  }

  private async follow(
    stream: ReadableStream<Uint8Array>,
    matches: (line: string) => boolean,
  ): Promise<void> {
    try {
      for await (const line of linesOf(stream)) {
        if (this.stopped.signal.aborted) return;
        if (!matches(line)) continue;
        this.found = line;
        this.changed();
        return;
      }
    } catch (error) {
      this.failure = `cannot read the log: ${messageOf(error)}`;
    } finally {
      this.stopped.abort();
    }
  }
}

/** Lines without their ends; one that is longer than the bound comes in pieces. */
export async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield* pieces(line.replace(/\r$/, ""));
    while (rest.length > lineMax) {
      yield rest.slice(0, lineMax);
      rest = rest.slice(lineMax);
    }
  }
  if (rest !== "") yield rest;
}

function* pieces(line: string): Generator<string, void, void> {
  for (let at = 0; at === 0 || at < line.length; at += lineMax) yield line.slice(at, at + lineMax);
}
