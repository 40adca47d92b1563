import { StringDecoder } from "node:string_decoder";
import type { BuildEvent, BuildResult, ClassicEvent } from "../../build/contract.ts";
import { newId, shortId } from "../../lib/ids.ts";
import type { JsonMessage } from "../../types/api.ts";
import { failureMessage } from "./failure-message.ts";

const stream = (text: string): JsonMessage => ({ stream: text });

interface ClassicTextOptions {
  /** containers of steps are told to be removed, also of a step that failed */
  removes: boolean;
  removesFailed: boolean;
}

/**
 * A classic build as Docker's builder tells it, message by message: `Step 2/3 : RUN make`, ` ---> Running in …`, the
 * output, ` ---> Removed intermediate container …`, ` ---> id`; at the end `Successfully built id`. What is written to
 * standard error is red. The containers named have ended by then; they are told because people and programs read them.
 */
export class ClassicText {
  private readonly options: ClassicTextOptions;
  private readonly decoders = { 1: new StringDecoder("utf8"), 2: new StringDecoder("utf8") };
  private name = "";
  /** the image that the last stage came to */
  private stage = "";
  /** the step's container, once it runs */
  private container = "";
  /** the step was looked up and was to be run */
  private isNew = false;

  constructor(options: ClassicTextOptions) {
    this.options = options;
  }

  event(event: BuildEvent): JsonMessage[] {
    if (event.kind === "classic") return this.classic(event.classic);
    if (event.kind === "log") return this.output(this.decoders[event.stream].write(event.data), event.stream);
    if (event.kind !== "vertex" || event.vertex.line === undefined || event.vertex.cached) return [];
    this.isNew = true;
    const begins = event.vertex.completed === undefined && this.name === "run";
    return begins ? this.running() : [];
  }

  /** What is left to tell once it is built. */
  result({ images }: BuildResult, tags: readonly string[]): JsonMessage[] {
    const squashed = images.filter(({ image }) => image.id !== this.stage);
    return [
      ...squashed.map(({ image }): JsonMessage => ({ aux: { ID: image.id } })),
      ...images.map(({ image }) => stream(`Successfully built ${shortId(image.id)}\n`)),
      ...tags.map((tag) => stream(`Successfully tagged ${tag}\n`)),
    ];
  }

  failure(error: unknown): JsonMessage[] {
    const removed = this.options.removesFailed ? this.removed() : [];
    return [...removed, failureMessage(error)];
  }

  private classic(event: ClassicEvent): JsonMessage[] {
    switch (event.at) {
      case "begin":
        this.step(event.name);
        return [stream(`Step ${event.number}/${event.total} : ${event.text}`), stream("\n")];
      case "triggers":
        return [
          stream(`# Executing ${event.count} build trigger`),
          ...(event.count > 1 ? [stream("s")] : []),
          stream("\n"),
        ];
      case "trigger":
        this.step(event.name);
        return [];
      case "note":
        return [stream(`${event.text}\n`)];
      case "done":
        return this.done(event);
      case "image":
        return [stream(` ---> ${event.id === "" ? "" : shortId(event.id)}\n`)];
      case "stage":
        this.stage = event.id;
        return [{ aux: { ID: event.id } }];
    }
  }

  private step(name: string): void {
    this.name = name;
    this.container = "";
    this.isNew = false;
  }

  private done({ name, cached }: ClassicEvent & { at: "done" }): JsonMessage[] {
    const copies = name === "copy" || name === "add";
    const ran = this.isNew || !cached;
    const messages = ran
      ? copies
        ? []
        : [...this.running(), ...(this.options.removes ? this.removed() : [])]
      : [stream(" ---> Using cache\n")];
    // a trigger may follow, which is no step of its own
    this.container = "";
    this.isNew = false;
    return messages;
  }

  private running(): JsonMessage[] {
    if (this.container !== "") return [];
    this.container = shortId(newId());
    return [stream(` ---> Running in ${this.container}\n`)];
  }

  private removed(): JsonMessage[] {
    return this.container === "" ? [] : [stream(` ---> Removed intermediate container ${this.container}\n`)];
  }

  private output(text: string, from: 1 | 2): JsonMessage[] {
    if (text === "") return [];
    return [stream(from === 1 ? text : `\u001b[91m${text}\u001b[0m`)];
  }
}
