import { newId } from "../../lib/ids.ts";
import type { Snapshots } from "../../snapshots/contract.ts";

export interface View {
  root: string;
  /** idempotent */
  release(): Promise<void>;
}

interface Shared {
  key: string;
  root: Promise<string>;
  users: number;
}

/** Stacks of layers to read from, each mounted once however many steps look at it. */
export class Views {
  private readonly snapshots: Snapshots;
  private readonly open = new Map<string, Shared>();

  constructor(snapshots: Snapshots) {
    this.snapshots = snapshots;
  }

  async acquire(layers: readonly string[]): Promise<View> {
    const name = layers.join(" ");
    const shared = this.open.get(name) ?? this.make(name, layers);
    shared.users++;
    let held = true;
    const release = async (): Promise<void> => {
      if (!held) return;
      held = false;
      if (--shared.users > 0) return;
      this.open.delete(name);
      await this.snapshots.remove(shared.key);
    };
    try {
      return { root: await shared.root, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  private make(name: string, layers: readonly string[]): Shared {
    const key = `build-view-${newId().slice(0, 24)}`;
    const shared = { key, root: this.snapshots.view(key, layers), users: 0 };
    this.open.set(name, shared);
    return shared;
  }
}
