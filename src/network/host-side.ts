import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/log.ts";
import type { BridgeNetwork } from "./definitions.ts";
import { formatSubnet } from "./ipv4.ts";
import { addPorts, type PublishedRule, type RuleModel, removePorts } from "./rules.ts";
import type { BridgePlan, Call } from "./worker-protocol.ts";

export interface HostSideOptions {
  call: Call;
  table: string;
  bridges: () => BridgeNetwork[];
  /** every port published now */
  ports: () => PublishedRule[];
  /** sets net.ipv4.ip_forward */
  forward: boolean;
  /** how long bridges and table outlive the last endpoint, so that containers run one by one do not pay for them */
  lingerMs: number;
  /** called when they go */
  onIdle: () => Promise<void>;
  logger: Logger;
}

/** The host's side of all sandboxes: bridges and packet rules, there while anything needs them. */
export class HostSide {
  private readonly options: HostSideOptions;
  private prepared: Promise<void> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: HostSideOptions) {
    this.options = options;
  }

  /** Bridges and table stand when this resolves. */
  ensure(): Promise<void> {
    this.prepared ??= this.prepare();
    return this.prepared;
  }

  /** Whether they stand, as far as this engine knows. */
  get standing(): boolean {
    return this.prepared !== undefined;
  }

  /** They were found broken: the next `ensure` makes them anew. */
  distrust(): void {
    this.prepared = undefined;
  }

  /** They stand already: a sweep made them. */
  trust(): void {
    this.prepared = Promise.resolve();
  }

  async publish(ports: readonly PublishedRule[]): Promise<void> {
    if (ports.length > 0) await this.change(addPorts(this.options.table, ports));
  }

  async unpublish(ports: readonly PublishedRule[]): Promise<void> {
    if (ports.length > 0) await this.change(removePorts(this.options.table, ports));
  }

  bridgePlans(): BridgePlan[] {
    return this.options.bridges().map(({ bridge, subnet, gateway, mtu }) => ({
      name: bridge,
      address: gateway,
      prefix: subnet.prefix,
      mtu,
      forward: this.options.forward,
    }));
  }

  model(): RuleModel {
    const bridges = this.options.bridges().map(({ bridge, subnet, masquerade }) => ({
      name: bridge,
      ...(masquerade ? { masquerade: formatSubnet(subnet) } : {}),
    }));
    return { table: this.options.table, bridges, ports: this.options.ports() };
  }

  /** A container came: nothing is taken away. */
  busy(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** The last container went. */
  idle(): void {
    this.busy();
    this.timer = setTimeout(() => {
      this.remove().catch((error: unknown) =>
        this.options.logger.warn("remove the bridge of no container", { error: messageOf(error) }),
      );
    }, this.options.lingerMs);
    this.timer.unref();
  }

  async remove(): Promise<void> {
    this.busy();
    const { call, table, onIdle } = this.options;
    const bridges = this.options.bridges().map(({ bridge }) => bridge);
    // asked of the Worker before anything is awaited: what a container that comes now asks is done after it
    const removed = this.prepared ? call("removeAll", { bridges, table }) : undefined;
    this.prepared = undefined;
    await Promise.all([removed, onIdle()]);
  }

  private async prepare(): Promise<void> {
    try {
      await this.options.call("prepare", { bridges: this.bridgePlans(), rules: this.model() });
    } catch (error) {
      this.prepared = undefined;
      throw error;
    }
  }

  /** One change of elements; where the table is not what it should be (someone flushed it), it is made anew. */
  private async change(commands: string): Promise<void> {
    try {
      await this.options.call("changeRules", { commands });
    } catch (error) {
      this.options.logger.warn("packet rules were changed by others; making them anew", {
        error: messageOf(error),
      });
      this.distrust();
      await this.ensure();
    }
  }
}
