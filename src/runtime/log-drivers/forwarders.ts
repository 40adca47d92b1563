import { hostname } from "node:os";
import { messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import type { LogSource } from "../../lib/log-codecs/message.ts";
import type { LogDriverRequest } from "../contract.ts";
import type { Destination } from "./destination.ts";
import { openFluentd } from "./fluentd.ts";
import { Forwarder } from "./forwarder.ts";
import { openGelf } from "./gelf.ts";
import { logSource } from "./info.ts";
import { openJournald } from "./journald.ts";
import type { LogDriverOptions, RemoteDriver } from "./options.ts";
import { openSyslog } from "./syslog.ts";

const openers: Readonly<Record<RemoteDriver, (source: LogSource, options: LogDriverOptions) => Destination>> =
  {
    syslog: openSyslog,
    gelf: openGelf,
    fluentd: openFluentd,
    journald: openJournald,
  };

/** Containers' forwarders by id: one each, from its start until all of its log was handed on. */
export class LogForwarders {
  private readonly logger: Logger;
  private readonly forwarders = new Map<string, Forwarder>();

  constructor(logger: Logger) {
    this.logger = logger;
  }

  /** See the contract. A container's earlier forwarder, which may still be behind, gives its place to the new one. */
  async open(request: LogDriverRequest): Promise<(ended: Promise<unknown>) => void> {
    const { containerId } = request.info;
    const destination = openers[request.driver](
      logSource(request.info, request.options, hostname()),
      request.options,
    );
    const earlier = this.forwarders.get(containerId);
    await earlier?.stop();
    const forwarder = new Forwarder({ ...request, containerId, destination, logger: this.logger });
    let follows = false;
    const follow = (ended: Promise<unknown>): void => {
      if (follows) return; // a start that failed late: the end of its process is the end of this, too
      follows = true;
      this.forwarders.set(containerId, forwarder);
      forwarder.follow(ended, () => {
        if (this.forwarders.get(containerId) === forwarder) this.forwarders.delete(containerId);
      });
    };
    if (request.mustConnect)
      try {
        await destination.open();
      } catch (error) {
        if (earlier) follow(Promise.resolve()); // what the last run left
        throw error;
      }
    return follow;
  }

  inodeOf(id: string): bigint | undefined {
    return this.forwarders.get(id)?.inode;
  }

  async drain(id: string, timeoutMs: number): Promise<void> {
    const forwarder = this.forwarders.get(id);
    if (!forwarder) return;
    if (!(await forwarder.drained(timeoutMs)))
      this.logger.warn("a container's last log lines were not handed on: it is removed", { container: id });
    await forwarder.stop();
    if (this.forwarders.get(id) === forwarder) this.forwarders.delete(id);
  }

  async close(): Promise<void> {
    const all = [...this.forwarders.values()];
    this.forwarders.clear();
    await Promise.all(
      all.map((forwarder) =>
        forwarder
          .stop()
          .catch((error: unknown) =>
            this.logger.warn("a log driver did not stop", { error: messageOf(error) }),
          ),
      ),
    );
  }
}
