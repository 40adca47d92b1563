import { EngineError } from "../lib/errors.ts";
import { closePidfd, openPidfd } from "../system/process/signals.ts";
import type { ProcessStreams } from "./attach/streams.ts";
import type { OciRuntime } from "./oci-runtime/oci-runtime.ts";

/** What the engine holds of a container whose process exists: nothing that could not be found again on disk. */
export interface RunningContainer {
  id: string;
  bundle: string;
  pid: number;
  conmonPid: number;
  /** held so that a signal can never reach a later process of the same number */
  pidfd: number | undefined;
  cgroup: string;
  runtime: OciRuntime;
  streams: ProcessStreams;
}

export class RunningContainers {
  private readonly byId = new Map<string, RunningContainer>();

  add(container: Omit<RunningContainer, "pidfd">): void {
    this.byId.set(container.id, { ...container, pidfd: openPidfd(container.pid) });
  }

  find(id: string): RunningContainer | undefined {
    return this.byId.get(id);
  }

  get(id: string): RunningContainer {
    const found = this.byId.get(id);
    if (!found) throw new EngineError("notFound", `container ${id} has no process`);
    return found;
  }

  remove(id: string): void {
    const pidfd = this.byId.get(id)?.pidfd;
    if (pidfd !== undefined) closePidfd(pidfd);
    this.byId.delete(id);
  }

  all(): RunningContainer[] {
    return [...this.byId.values()];
  }
}
