import { messageOf } from "../../lib/errors.ts";
import type {
  BuildEvent,
  BuildHistoryLog,
  BuildHistoryRecord,
  BuildRequest,
  BuildResult,
  BuildVertex,
} from "../contract.ts";
import { LogKeeper } from "./log-keeper.ts";

const stepsMax = 1000;

/** Follows a build's events to tell afterwards what it did. Values of build arguments are not kept: they may be secret. */
export class BuildRecorder {
  private readonly vertices = new Map<string, BuildVertex>();
  private readonly printed = new LogKeeper();
  private readonly base: Omit<BuildHistoryRecord, "steps" | "status">;

  constructor(ref: string, request: BuildRequest) {
    this.base = {
      ref,
      dockerfile: request.dockerfile.name,
      target: request.target,
      platforms: request.platforms,
      buildArgs: [...request.buildArgs.keys()],
      tags: request.tags,
      startedAt: Date.now(),
      completedAt: undefined,
      error: undefined,
      images: [],
    };
  }

  event(event: BuildEvent): void {
    if (event.kind === "log") this.printed.add(event);
    if (event.kind === "vertex" && (this.vertices.has(event.vertex.digest) || this.vertices.size < stepsMax))
      this.vertices.set(event.vertex.digest, event.vertex);
  }

  logs(): BuildHistoryLog[] {
    return this.printed.logs([...this.vertices.keys()]);
  }

  running(): BuildHistoryRecord {
    return { ...this.base, status: "running", steps: [] };
  }

  succeeded({ images }: BuildResult): BuildHistoryRecord {
    const ids = images.map(({ image }) => image.id);
    return { ...this.ended(), status: "completed", images: ids };
  }

  failed(error: unknown, cancelled: boolean): BuildHistoryRecord {
    return {
      ...this.ended(),
      status: cancelled ? "canceled" : "error",
      error: messageOf(error).slice(0, 4096),
    };
  }

  private ended(): Omit<BuildHistoryRecord, "status"> {
    const steps = [...this.vertices.values()].map(
      ({ name, started, completed, cached, error, reasons, usage }) => ({
        name,
        startedAt: started,
        completedAt: completed,
        cached,
        error,
        reasons,
        usage,
      }),
    );
    return { ...this.base, completedAt: Date.now(), steps };
  }
}
