import { join } from "node:path";
import type { Images } from "../images/contract.ts";
import { messageOf } from "../lib/errors.ts";
import { sortedByKey } from "../lib/go/sorted.ts";
import type { Logger } from "../lib/log.ts";
import type { Networks } from "../network/contract.ts";
import type { Runtime } from "../runtime/contract.ts";
import type { Snapshots } from "../snapshots/contract.ts";
import type { State } from "../state/database.ts";
import type { EventBus } from "../state/events.ts";
import type { Volumes } from "../volumes/contract.ts";
import type { ArchiveWorker } from "./archive/worker.ts";
import type { Clock } from "./clock.ts";
import type { ContainersConfig } from "./config.ts";
import type { Container } from "./container.ts";
import type { HostFacts } from "./create/resources.ts";
import type { Exec } from "./exec/exec.ts";
import type { StatsTimer } from "./stats/sampler.ts";
import type { ContainerStore } from "./store.ts";

/** What the containers service is built from: the services below it, explicitly. */
export interface ContainersDeps {
  state: State;
  events: EventBus;
  images: Images;
  snapshots: Snapshots;
  volumes: Volumes;
  networks: Networks;
  runtime: Runtime;
  config: ContainersConfig;
  logger: Logger;
}

/** What every use case works with. */
export interface Context extends ContainersDeps {
  store: ContainerStore;
  execs: Map<string, Exec>;
  /** execs in containers that do not run, by id: who is told of their exit code */
  visits: Map<string, (exitCode: number) => void>;
  facts: HostFacts;
  background: Background;
  archives: ArchiveWorker;
  clock: Clock;
  stats: StatsTimer;
  /** true once the service closes: nothing new is scheduled */
  closing: boolean;
}

/** Work that nobody waits for but `close`: deletions, mostly. A failure is logged; the next start sweeps. */
export class Background {
  private readonly open = new Set<Promise<void>>();
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  run(what: string, work: () => Promise<unknown>): void {
    const task: Promise<void> = work()
      .then(
        () => undefined,
        (error: unknown) => this.logger.warn(`${what} failed`, { error: messageOf(error) }),
      )
      .finally(() => this.open.delete(task));
    this.open.add(task);
  }

  async settle(): Promise<void> {
    while (this.open.size > 0) await Promise.all(this.open);
  }
}

/** Where a container's files are. */
export const folderOf = (ctx: Context, id: string): string => join(ctx.config.dataRoot, "containers", id);
export const bundleOf = (ctx: Context, id: string): string => join(ctx.config.execRoot, "containers", id);
/** conmon writes its own line format, hence not Docker's `-json.log` */
export const logPathOf = (ctx: Context, id: string): string => join(folderOf(ctx, id), `${id}.log`);

const recordAgainMs = 1000;

/** Writes down what has happened to a container already: it holds also where it cannot be written yet (a full disk). */
export function recordLife(ctx: Context, container: Container): void {
  if (ctx.store.get(container.id) !== container) return;
  try {
    ctx.store.saveLife(container);
  } catch (error) {
    ctx.logger.error("a container's state could not be written", {
      container: container.id,
      error: messageOf(error),
    });
    ctx.clock.after(recordAgainMs, () => recordLife(ctx, container));
  }
}

/** Publishes a container's event with Docker's attributes: its labels, image and name, and what the event adds. */
export function tell(
  ctx: Context,
  container: Container,
  action: string,
  more: Record<string, string> = {},
): void {
  ctx.events.publish({
    type: "container",
    action,
    id: container.id,
    attributes: sortedByKey({
      ...container.spec.config.Labels,
      ...more,
      image: container.spec.config.Image,
      name: container.name,
    }),
  });
}
