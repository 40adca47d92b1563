import type { BuildEvent, BuildResult, BuildVertex } from "../../build/contract.ts";
import type { ParsedInstruction } from "../../lib/dockerfile/ast.ts";
import { messageOf } from "../../lib/errors.ts";
import { shortId } from "../../lib/ids.ts";
import type { JsonMessage } from "../../types/api.ts";

const stream = (text: string): JsonMessage => ({ stream: text });

/**
 * The steps of a BuildKit build, told in the way of the classic builder: `Step 2/3 : RUN make`, its output, ` ---> id`. For
 * `berth build` at an engine elsewhere. An instruction that makes no layer is told before the next that does.
 */
export class StepsText {
  private readonly instructions: readonly ParsedInstruction[];
  private readonly told = new Set<number>();
  private readonly started = new Set<string>();
  private readonly decoder = new TextDecoder();

  /** `instructions`: those of the Dockerfile from its first FROM to the target's end */
  constructor(instructions: readonly ParsedInstruction[]) {
    this.instructions = instructions;
  }

  event(event: BuildEvent): JsonMessage[] {
    if (event.kind === "vertex") return this.vertex(event.vertex);
    if (event.kind === "log") return [stream(this.decoder.decode(event.data, { stream: true }))];
    return [];
  }

  /** What is left to tell once it is built. */
  result({ images }: BuildResult, tags: readonly string[]): JsonMessage[] {
    const messages = this.upTo(this.instructions.length);
    for (const { image } of images) {
      messages.push({ aux: { ID: image.id } });
      messages.push(stream(`Successfully built ${shortId(image.id)}\n`));
    }
    for (const tag of tags) messages.push(stream(`Successfully tagged ${tag}\n`));
    return messages;
  }

  /** In BuildKit's words: it is one of its builds. */
  failure(error: unknown): JsonMessage[] {
    const message = messageOf(error);
    return [{ errorDetail: { message }, error: message }];
  }

  private vertex({ digest, line, completed, cached, error, skipped }: BuildVertex): JsonMessage[] {
    if (skipped) return [];
    const index =
      line === undefined ? -1 : this.instructions.findIndex(({ location }) => location.start.line === line);
    if (index < 0) return [];
    const messages: JsonMessage[] = [];
    if (!this.started.has(digest)) {
      this.started.add(digest);
      messages.push(...this.upTo(index), ...this.step(index));
    }
    if (completed === undefined || error !== undefined) return messages;
    const isBase = this.instructions[index]?.name.toLowerCase() === "from";
    if (cached && !isBase) messages.push(stream(" ---> Using cache\n"));
    messages.push(stream(` ---> ${shortId(digest)}\n`));
    return messages;
  }

  /** Instructions of the same stage before this one that have not been told. */
  private upTo(index: number): JsonMessage[] {
    let first = index - 1;
    while (first > 0 && this.instructions[first]?.name.toLowerCase() !== "from") first--;
    const messages: JsonMessage[] = [];
    for (let at = Math.max(first, 0); at < index; at++) {
      if (this.told.has(at)) continue;
      messages.push(
        ...this.step(at),
        stream(` ---> ${shortId(Bun.hash(String(at)).toString(16).padStart(12, "0"))}\n`),
      );
    }
    return messages;
  }

  private step(index: number): JsonMessage[] {
    if (this.told.has(index)) return [];
    this.told.add(index);
    const { text = "" } = this.instructions[index] ?? {};
    return [stream(`Step ${index + 1}/${this.instructions.length} : ${text}\n`)];
  }
}
