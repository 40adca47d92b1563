import { messageOf } from "../../lib/errors.ts";
import { RoleWorker } from "../../system/worker.ts";
import { readFromWorker, type SendOptions, sendToWorker } from "../../system/worker-stream.ts";
import type { BuildCalls, UnpackRequest } from "./requests.ts";

const workersMax = 2;
/** An idle thread costs some megabytes: it ends after this. */
const idleMs = 3000;

interface Member {
  worker: RoleWorker;
  uses: number;
  ending: NodeJS.Timeout | undefined;
}

/** Up to two build worker threads, started when needed and ended when idle. */
export class BuildWorkers {
  private readonly members = new Set<Member>();
  private serial = 0;

  call<Name extends keyof BuildCalls>(
    name: Name,
    args: BuildCalls[Name]["args"],
  ): Promise<BuildCalls[Name]["result"]> {
    return this.use((worker) => worker.call<BuildCalls[Name]["result"]>(name, args));
  }

  /** Unpacks a (compressed) tar into `folder`/diff. */
  unpack(
    request: Omit<UnpackRequest, "session">,
    source: AsyncIterable<Uint8Array>,
    options: SendOptions,
  ): Promise<unknown> {
    const session = ++this.serial;
    return this.use((worker) => {
      const calls = {
        memory: "given" as const,
        feed: (bytes: Uint8Array<ArrayBuffer>) => worker.call("feed", { session, bytes }, [bytes.buffer]),
        feedEnd: (error?: string) =>
          worker.call("feedEnd", { session, ...(error === undefined ? {} : { error }) }),
      };
      return sendToWorker(calls, worker.call("unpack", { session, ...request }), source, options);
    });
  }

  /** A tree as a tar, or what it has besides `lower` (topmost first). */
  async *tar(folder: string, lower: readonly string[] = []): AsyncGenerator<Uint8Array> {
    const session = ++this.serial;
    const member = this.take();
    try {
      await member.worker.call("tar", { session, folder, lower });
      yield* readFromWorker({
        read: () => member.worker.call("read", { session }),
        readEnd: () => member.worker.call("readEnd", { session }),
      });
    } finally {
      this.giveBack(member);
    }
  }

  close(): void {
    for (const member of this.members) this.end(member);
  }

  private async use<T>(work: (worker: RoleWorker) => Promise<T>): Promise<T> {
    const member = this.take();
    try {
      return await work(member.worker);
    } catch (error) {
      // a thread that failed outside of a call is gone
      if (messageOf(error).startsWith("worker build:")) this.members.delete(member);
      throw error;
    } finally {
      this.giveBack(member);
    }
  }

  private take(): Member {
    let best: Member | undefined;
    for (const member of this.members) if (best === undefined || member.uses < best.uses) best = member;
    if (best === undefined || (best.uses > 0 && this.members.size < workersMax)) {
      best = { worker: new RoleWorker("build"), uses: 0, ending: undefined };
      this.members.add(best);
    }
    clearTimeout(best.ending);
    best.uses++;
    return best;
  }

  private giveBack(member: Member): void {
    if (--member.uses > 0) return;
    member.ending = setTimeout(() => this.end(member), idleMs);
    member.ending.unref();
  }

  private end(member: Member): void {
    clearTimeout(member.ending);
    this.members.delete(member);
    member.worker.terminate();
  }
}
