import type { MountInput } from "../../../runtime/spec/input.ts";
import type { RunMount } from "../../graph/operation.ts";
import type { Session } from "../../solver/session.ts";
import { cacheKeyError, type Tree } from "../source-tree.ts";
import { copyInto, type Surroundings } from "./bind-mount.ts";
import type { ReadyMount } from "./mount-keys.ts";

type CacheMount = RunMount & { type: "cache" };

/** What excludes more comes later. */
const byStrength: readonly CacheMount["sharing"][] = ["shared", "private", "locked"];

/** The cache mounts of one step. Those of one id are one folder, held once: a step never waits for itself. */
export class StepCaches {
  private readonly around: Surroundings;
  private readonly sharing = new Map<string, CacheMount["sharing"]>();
  private readonly folders = new Map<string, Promise<string>>();

  constructor(around: Surroundings, mounts: readonly ReadyMount[]) {
    this.around = around;
    for (const { mount, tree } of mounts) {
      if (mount.type !== "cache") continue;
      const id = idOf(mount, tree);
      const before = this.sharing.get(id) ?? "shared";
      if (byStrength.indexOf(mount.sharing) >= byStrength.indexOf(before))
        this.sharing.set(id, mount.sharing);
    }
  }

  async mount(mount: CacheMount, { tree }: ReadyMount): Promise<MountInput> {
    const id = idOf(mount, tree);
    const folder = this.folders.get(id) ?? this.hold(id, mount, tree);
    this.folders.set(id, folder);
    const path = await folder;
    return {
      destination: mount.target,
      type: "bind",
      source: this.around.session.deps.snapshots.remappedPath(path) ?? path,
      options: ["rbind", ...(mount.readOnly ? ["ro"] : [])],
    };
  }

  private async hold(id: string, mount: CacheMount, tree: Tree | undefined): Promise<string> {
    const { session, signal, undo, ignoreCache } = this.around;
    const { mode, uid, gid, target, source, sharing } = mount;
    const fresh = ignoreCache && !session.freshCaches.has(id);
    if (fresh) session.freshCaches.add(id);
    const held = await session.deps.cacheMounts.acquire({
      id,
      sharing: this.sharing.get(id) ?? sharing,
      mode,
      uid,
      gid,
      description: `cached mount ${target} from exec`,
      fresh,
      signal,
      ...(tree === undefined ? {} : { seed: (folder: string) => fill(session, tree, source, folder) }),
    });
    undo.add("cache mount", () => held.release());
    return held.folder;
  }
}

/** With another owner or mode it is another cache. */
function idOf({ id, mode, uid, gid }: CacheMount, tree: Tree | undefined): string {
  const isPlain = mode === 0o755 && uid === 0 && gid === 0;
  return isPlain || tree !== undefined ? id : `${id} ${mode.toString(8)} ${uid}:${gid}`;
}

/** What a new cache begins with. */
async function fill(
  session: Session,
  { open, ignore, layers }: Tree,
  source: string,
  folder: string,
): Promise<void> {
  const root = await open();
  const owners = layers !== undefined;
  const tree = { root, ignore, exclude: [], patterns: [source], parents: false, owners, attributes: owners };
  await copyInto(session, tree, folder).catch((error: unknown) => Promise.reject(cacheKeyError(error)));
}
