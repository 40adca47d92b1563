import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, stat, unlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { removeTree } from "../../system/files/tree-remove.ts";

/** Copies not used for that long go, and the oldest beyond the count. */
const keptForMs = 48 * 60 * 60 * 1000;
const keptAtMost = 24;

interface HeldFolder {
  path: string;
  release(): void;
}

/**
 * Copies of clients' folders, kept from build to build so that only what changed is sent: `<root>/<key>-<slot>`, with
 * the index of what it holds beside it. A copy belongs to one build at a time; builds of one folder at the same time get
 * a copy each.
 */
export class KeptFolders {
  private readonly root: string;
  private readonly logger: Logger;
  private readonly held = new Set<string>();

  constructor(root: string, logger: Logger) {
    this.root = root;
    this.logger = logger;
  }

  /** `key` names the client's folder; undefined = a folder that goes when it is let go of. */
  async hold(key: string | undefined): Promise<HeldFolder> {
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    const name = createHash("sha256")
      .update(key ?? randomBytes(16))
      .digest("hex")
      .slice(0, 32);
    let slot = 0;
    while (this.held.has(`${name}-${slot}`)) slot++;
    const folder = `${name}-${slot}`;
    this.held.add(folder);
    const path = join(this.root, folder);
    return {
      path,
      release: () => {
        if (!this.held.delete(folder)) return;
        const done = key === undefined ? this.remove(folder) : this.trim(path);
        done.catch((error) => this.logger.warn("kept build contexts", { error: messageOf(error) }));
      },
    };
  }

  private async trim(justUsed: string): Promise<void> {
    const now = new Date();
    await utimes(`${justUsed}.json`, now, now).catch(() => undefined);
    const byAge = (await this.all()).sort((a, b) => b.usedAt - a.usedAt);
    for (const [at, { name, usedAt }] of byAge.entries())
      if (at >= keptAtMost || usedAt < now.getTime() - keptForMs) await this.remove(name);
  }

  /** A copy's index has the time of its last use; one without an index is from a transfer that broke, and old. */
  private async all(): Promise<{ name: string; usedAt: number }[]> {
    const names = await readdir(this.root).catch(() => []);
    const folders = names.filter((name) => /^[0-9a-f]{32}-\d+$/.test(name) && !this.held.has(name));
    return Promise.all(
      folders.map(async (name) => {
        const index = await stat(join(this.root, `${name}.json`)).catch(() => undefined);
        return { name, usedAt: index?.mtimeMs ?? 0 };
      }),
    );
  }

  private async remove(name: string): Promise<void> {
    if (this.held.has(name)) return;
    this.held.add(name);
    try {
      for (const index of [`${name}.json`, `${name}.json.new`])
        await unlink(join(this.root, index)).catch(() => undefined);
      await removeTree(join(this.root, name));
    } finally {
      this.held.delete(name);
    }
  }
}
