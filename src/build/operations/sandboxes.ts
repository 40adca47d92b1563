import { newId } from "../../lib/ids.ts";
import type { Networks } from "../../network/contract.ts";

export interface StepNetwork {
  /** undefined = the host's */
  netnsPath: string | undefined;
  /** lets another step of this build use it; with `spoilt` nobody does */
  release(spoilt: boolean): Promise<void>;
}

/**
 * Network namespaces of one build's steps. Steps that run at the same time have one each; one after the other they use the
 * same, for wiring one costs as much as a small step.
 */
export class Sandboxes {
  private readonly networks: Networks;
  private readonly open = new Set<string>();
  private readonly idle = new Map<string, { id: string; netnsPath: string }[]>();

  constructor(networks: Networks) {
    this.networks = networks;
  }

  /** `mode`: "host", "none", "default" (the bridge) or a network's name. */
  async acquire(mode: string): Promise<StepNetwork> {
    if (mode === "host") return { netnsPath: undefined, release: () => Promise.resolve() };
    const network = mode === "default" ? "bridge" : mode;
    const idle = this.idle.get(network) ?? [];
    this.idle.set(network, idle);
    const sandbox = idle.pop() ?? (await this.make(network));
    return {
      netnsPath: sandbox.netnsPath,
      release: async (spoilt) => {
        if (!spoilt) idle.push(sandbox);
        else await this.drop(sandbox.id);
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.open].map((id) => this.drop(id)));
  }

  private async make(network: string): Promise<{ id: string; netnsPath: string }> {
    const id = newId();
    this.open.add(id);
    try {
      const request = {
        containerId: id,
        containerName: `build-${id.slice(0, 12)}`,
        hostname: "",
        networks: { [network]: {} },
        ports: [],
      };
      const { netnsPath, ready } = await this.networks.open(request);
      await ready;
      return { id, netnsPath };
    } catch (error) {
      await this.drop(id);
      throw error;
    }
  }

  private async drop(id: string): Promise<void> {
    this.open.delete(id);
    await this.networks.close(id);
  }
}
