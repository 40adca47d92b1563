import { readFile } from "node:fs/promises";
import { isKind } from "../../lib/errors.ts";
import { formatNs, nowNs } from "../../lib/time/time.ts";
import type { Runtime } from "../../runtime/contract.ts";
import type { Clock } from "../clock.ts";
import type { Container } from "../container.ts";
import { joinedContainer } from "../start/join-mode.ts";
import { readInterfaces } from "./interfaces.ts";
import type { Sample } from "./response.ts";
import { readSystemCpu, type SystemCpu } from "./system-cpu.ts";

/** What samples are read through. */
interface SampleSources {
  runtime: Pick<Runtime, "usage">;
  /** finds the container whose network another joins */
  store: { lookUp(idOrName: string): Container | undefined };
}

/** Samples of one moment: each container and the host are read once, however many clients ask. */
export class Moment {
  private readonly samples = new Map<string, Promise<Sample | undefined>>();
  private system: Promise<SystemCpu> | undefined;

  /** Undefined when the container does not run. */
  sample(from: SampleSources, container: Container): Promise<Sample | undefined> {
    const taken = this.samples.get(container.id);
    if (taken) return taken;
    const sample = this.take(from, container);
    this.samples.set(container.id, sample);
    return sample;
  }

  private async take(from: SampleSources, container: Container): Promise<Sample | undefined> {
    if (!container.alive) return undefined;
    this.system ??= readFile("/proc/stat", "latin1").then(readSystemCpu);
    try {
      const [usage, system, interfaces] = await Promise.all([
        from.runtime.usage(container.id),
        this.system,
        interfacesOf(from, container),
      ]);
      // what ended meanwhile left files half gone
      return container.alive ? { read: formatNs(nowNs()), usage, system, interfaces } : undefined;
    } catch (error) {
      if (!container.alive || isKind(error, "notFound")) return undefined;
      throw error;
    }
  }
}

async function interfacesOf(from: SampleSources, container: Container): Promise<Sample["interfaces"]> {
  if (usesHostNetwork(from, container)) return undefined;
  try {
    return readInterfaces(await readFile(`/proc/${container.life.pid}/net/dev`, "latin1"));
  } catch (error) {
    // its process ended just now
    if (["ENOENT", "ESRCH", "EINVAL"].includes(String((error as { code?: unknown }).code))) return undefined;
    throw error;
  }
}

const joinsMax = 16;

/** The host's interfaces are not a container's, whoever joins them. */
function usesHostNetwork(from: SampleSources, container: Container): boolean {
  let owner: Container | undefined = container;
  for (let joins = 0; owner && joins < joinsMax; joins++) {
    const mode: string = owner.spec.hostConfig.NetworkMode;
    const joined = joinedContainer(mode);
    if (joined === undefined) return mode === "host";
    owner = from.store.lookUp(joined);
  }
  return false;
}

const periodMs = 1000;

/** One timer for everyone who follows containers; it runs a second at a time, while someone reads or waits. */
export class StatsTimer {
  private readonly clock: Clock;
  private readonly waiting = new Set<() => void>();
  private cancel: (() => void) | undefined;
  private closed = false;
  private moment = new Moment();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** What is read until the timer fires again. */
  current(): Moment {
    this.arm();
    return this.moment;
  }

  /** Resolves with true at the next second, with false at once when the client is gone or the engine closes. */
  async next(signal: AbortSignal): Promise<boolean> {
    if (this.closed || signal.aborted) return false;
    this.arm();
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
    return !this.closed && !signal.aborted;
  }

  close(): void {
    this.closed = true;
    this.fire();
  }

  private arm(): void {
    if (!this.closed) this.cancel ??= this.clock.after(periodMs, () => this.fire());
  }

  private fire(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.moment = new Moment();
    for (const wake of [...this.waiting]) wake();
  }
}
