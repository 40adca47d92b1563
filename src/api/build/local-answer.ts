import { CheckFailed } from "../../build/calls/check-failed.ts";
import type { BuildEvent, BuildRequest, Builds, BuildWarning, OutputSink } from "../../build/contract.ts";
import { BuildError } from "../../build/failure.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { sha256 } from "../../lib/image/digest.ts";
import { frame } from "../../lib/wire/multiplex.ts";
import {
  firstOutputChannel,
  type LocalBuildMessage,
  type LocalBuildRequest,
} from "../../types/local-build.ts";

/**
 * The answer of `POST /berth/build` while it comes about: pieces of messages and outputs, handed over one by one. An
 * output waits while the reader is behind.
 */
export class LocalAnswer {
  private readonly pieces: Uint8Array[] = [];
  private waiting = 0;
  private ended = false;
  private wake: () => void = () => undefined;
  private drained: () => void = () => undefined;

  sink(index: number): OutputSink {
    return {
      write: async (bytes) => {
        for await (const chunk of bytes) {
          this.push(frame(firstOutputChannel + index, chunk));
          await this.room();
          if (this.ended) throw new EngineError("conflict", "nobody reads the output any more");
        }
      },
    };
  }

  tell(message: LocalBuildMessage): void {
    this.push(frame(1, new TextEncoder().encode(`${JSON.stringify(message)}\n`)));
  }

  /** Resolves once the reader has caught up, or is gone. */
  async room(): Promise<void> {
    while (this.waiting > waitingMax && !this.ended)
      await new Promise<void>((resolve) => {
        const before = this.drained;
        this.drained = () => {
          before();
          resolve();
        };
      });
  }

  end(): void {
    this.ended = true;
    this.wake();
    this.letOthersOn();
  }

  async *body(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.pieces.shift();
        if (piece !== undefined) {
          this.waiting -= piece.length;
          yield piece;
          this.letOthersOn();
        } else if (this.ended) return;
        else
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
      }
    } finally {
      this.end();
    }
  }

  private letOthersOn(): void {
    const { drained } = this;
    this.drained = () => undefined;
    drained();
  }

  private push(piece: Uint8Array): void {
    if (this.ended) return;
    this.pieces.push(piece);
    this.waiting += piece.length;
    this.wake();
  }
}

/** Bytes that may wait for the reader before outputs and output of steps are held back. */
const waitingMax = 256 * 1024;

/** Runs what was asked and tells everything; never rejects. */
export async function answerLocally(
  builds: Builds,
  call: LocalBuildRequest["call"],
  request: BuildRequest,
  answer: LocalAnswer,
): Promise<void> {
  try {
    if (call === "outline") answer.tell({ kind: "outline", outline: await builds.outline(request) });
    else if (call === "targets") answer.tell({ kind: "targets", targets: await builds.targets(request) });
    else if (call === "check") await check(builds, request, answer);
    else await build(builds, request, answer);
  } catch (error) {
    answer.tell(failure(error));
  } finally {
    answer.end();
  }
}

async function check(builds: Builds, request: BuildRequest, answer: LocalAnswer): Promise<void> {
  const tell = (warnings: readonly BuildWarning[]): void => {
    for (const warning of warnings) answer.tell({ kind: "warning", warning });
  };
  try {
    tell(await builds.check(request));
  } catch (error) {
    if (error instanceof CheckFailed) tell(error.warnings);
    throw error;
  }
  answer.tell({ kind: "result", ref: "", response: {}, imageIds: [] });
}

async function build(builds: Builds, request: BuildRequest, answer: LocalAnswer): Promise<void> {
  tellDefinition(request, answer);
  const run = builds.build(request);
  // whoever reads the events to their end also learns of the failure below
  run.result.catch(() => undefined);
  for await (const event of run.events) {
    if (event.kind !== "classic") answer.tell(messageOfEvent(event));
    await answer.room();
  }
  const { images, response, provenance = new Map<string, object>() } = await run.result;
  const imageIds = images.map(({ image }) => image.id);
  answer.tell({
    kind: "result",
    ref: run.ref,
    response,
    imageIds,
    provenance: Object.fromEntries(provenance),
  });
}

/** What reading the Dockerfile and the ignore file would be, had they to be sent: people know them as the first steps. */
function tellDefinition({ dockerfile }: BuildRequest, answer: LocalAnswer): void {
  const definition = `[internal] load build definition from ${dockerfile.name}`;
  tellRead(answer, definition, "transferring dockerfile:", Buffer.byteLength(dockerfile.text));
  tellRead(answer, "[internal] load .dockerignore", "transferring context:", 0);
}

function tellRead(answer: LocalAnswer, name: string, id: string, current: number): void {
  const now = Date.now();
  const vertex = { digest: sha256(name), inputs: [], name, started: now, cached: false };
  answer.tell({ kind: "vertex", vertex });
  answer.tell({
    kind: "status",
    status: { id, vertex: vertex.digest, current, total: 0, started: now, completed: now },
  });
  answer.tell({ kind: "vertex", vertex: { ...vertex, completed: now } });
}

function messageOfEvent(event: Exclude<BuildEvent, { kind: "classic" }>): LocalBuildMessage {
  if (event.kind !== "log") return event;
  return { ...event, data: Buffer.from(event.data).toString("base64") };
}

function failure(error: unknown): LocalBuildMessage {
  const message = messageOf(error);
  if (!(error instanceof BuildError)) return { kind: "error", message, lines: [] };
  const { lines, vertex, exitCode, kept } = error;
  return {
    kind: "error",
    message,
    lines: [...lines],
    ...(vertex === undefined ? {} : { vertex }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(kept === undefined ? {} : { kept }),
  };
}
