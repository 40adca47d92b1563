import { newId } from "../../lib/ids.ts";
import type { IdMap } from "../../lib/users/id-map.ts";
import type { Networks } from "../../network/contract.ts";
import { openUserNamespace } from "../../system/namespaces/user-namespace.ts";

interface StepSandbox {
  id: string;
  netnsPath: string;
  userns: string | undefined;
}

interface StepNetwork {
  /** undefined = the host's */
  netnsPath: string | undefined;
  /** path of the user namespace it belongs to, of a remapped step; undefined = the host's */
  userns: string | undefined;
  /** lets another step of this build use it; with `spoilt` nobody does */
  release(spoilt: boolean): Promise<void>;
}

/**
 * Network namespaces of one build's steps. Steps that run at the same time have one each; one after the other they use the
 * same, for wiring one costs as much as a small step.
 */
export class Sandboxes {
  private readonly networks: Networks;
  private readonly remap: IdMap | undefined;
  /** by id, with what lets go of its user namespace */
  private readonly open = new Map<string, () => void>();
  private readonly idle = new Map<string, StepSandbox[]>();

  constructor(networks: Networks, remap: IdMap | undefined) {
    this.networks = networks;
    this.remap = remap;
  }

  /** `mode`: "host", "none", "default" (the bridge) or a network's name. */
  async acquire(mode: string): Promise<StepNetwork> {
    if (mode === "host") return { netnsPath: undefined, userns: undefined, release: () => Promise.resolve() };
    const network = mode === "default" ? "bridge" : mode;
    const idle = this.idle.get(network) ?? [];
    this.idle.set(network, idle);
    const sandbox = idle.pop() ?? (await this.make(network));
    return {
      netnsPath: sandbox.netnsPath,
      userns: sandbox.userns,
      release: async (spoilt) => {
        if (!spoilt) idle.push(sandbox);
        else await this.drop(sandbox.id);
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.open.keys()].map((id) => this.drop(id)));
  }

  private async make(network: string): Promise<StepSandbox> {
    const id = newId();
    this.open.set(id, () => undefined);
    try {
      const held = this.remap && (await openUserNamespace(this.remap, { network: true }));
      if (held) this.open.set(id, held.close);
      const path = (fd: number): string => `/proc/${process.pid}/fd/${fd}`;
      const request = {
        containerId: id,
        containerName: `build-${id.slice(0, 12)}`,
        hostname: "",
        networks: { [network]: {} },
        ports: [],
        ...(held?.network === undefined ? {} : { namespace: path(held.network) }),
      };
      const { netnsPath, ready } = await this.networks.open(request);
      await ready;
      return { id, netnsPath, userns: held && path(held.user) };
    } catch (error) {
      await this.drop(id);
      throw error;
    }
  }

  private async drop(id: string): Promise<void> {
    this.open.get(id)?.();
    this.open.delete(id);
    await this.networks.close(id);
  }
}
