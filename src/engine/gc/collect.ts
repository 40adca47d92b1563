import { statfsSync } from "node:fs";
import { EngineError } from "../../lib/errors.ts";
import { turns } from "../../lib/turns.ts";
import type { ImageSummary } from "../../types/api.ts";
import type { GcAnswer, GcRequest } from "../../types/image-report.ts";
import type { PruneParts } from "../prune/prune.ts";

export type Gc = (request: GcRequest) => Promise<GcAnswer>;

interface Candidate {
  image: ImageSummary;
  lastUsedAt: number;
}

/**
 * Removes unused images by policy, least recently used first: those unused for too long, then as many as it takes to
 * keep layers below a size, or room on the disk above one. What containers use, what is pinned, and what other images
 * were made from stays.
 */
export async function collectGarbage(
  parts: PruneParts & { dataRoot: string },
  request: GcRequest,
): Promise<GcAnswer> {
  const { keepBytes, freeBytes, unusedForMs, dryRun = false } = request;
  if (keepBytes === undefined && freeBytes === undefined && unusedForMs === undefined)
    throw new EngineError("invalid", "gc needs a policy: a size to keep, room to leave free, or an age");
  const answer: GcAnswer = { removed: [], bytes: 0, kept: [], dryRun };
  const shares = new LayerShares(parts);
  const used = shares.bytes();
  const { bavail, bsize } = statfsSync(parts.dataRoot);
  const reasonFor = ({ lastUsedAt }: Candidate): string | undefined => {
    if (unusedForMs !== undefined && Date.now() - lastUsedAt > unusedForMs) return "unused for too long";
    if (keepBytes !== undefined && used - answer.bytes > keepBytes) return "over the size to keep";
    if (freeBytes !== undefined && bavail * bsize + answer.bytes < freeBytes)
      return "too little room is free";
    return undefined;
  };
  const gone = new Set<string>();
  const held = new Map<string, GcAnswer["kept"][number]>();
  const waiting = candidates(parts);
  const turn = turns();
  // an image that others were made from can go once they are gone: so again, while anything goes
  for (let progress = true; progress; ) {
    progress = false;
    for (const candidate of waiting) {
      await turn();
      const { image, lastUsedAt } = candidate;
      const { Id: id, RepoTags: tags } = image;
      const reason = gone.has(id) ? undefined : reasonFor(candidate);
      if (reason === undefined) continue;
      const holder =
        holderOf(parts, image, waiting, gone) ?? (dryRun ? undefined : await removeImage(parts, image));
      if (holder !== undefined) {
        held.set(id, { id, tags, reason: holder });
        continue;
      }
      gone.add(id);
      held.delete(id);
      progress = true;
      const bytes = shares.release(id);
      answer.bytes += bytes;
      answer.removed.push({ id, tags, lastUsedAt, bytes, reason });
    }
  }
  answer.kept.push(...held.values());
  if (!dryRun) tell(parts, answer);
  return answer;
}

/** Every image, least recently used first. */
function candidates({ images }: PruneParts): Candidate[] {
  const all = images.list({ all: true, filters: new Map(), sharedSize: false }, () => 0);
  return all
    .map((image) => ({ image, lastUsedAt: images.lastUsed(image.Id) }))
    .sort((a, b) => a.lastUsedAt - b.lastUsedAt);
}

/** What keeps an image, if anything does. */
function holderOf(
  { images, containers }: PruneParts,
  { Id }: ImageSummary,
  all: readonly Candidate[],
  gone: ReadonlySet<string>,
): string | undefined {
  if (images.isPinned(Id)) return "pinned";
  const child = all.find(({ image }) => image.ParentId === Id && !gone.has(image.Id));
  if (child !== undefined)
    return `${child.image.RepoTags[0] ?? child.image.Id.slice(7, 19)} was made from it`;
  const [user] = containers.usersOfImage(Id);
  return user === undefined ? undefined : `container ${user.containerId.slice(0, 12)} uses it`;
}

/** Undefined when it is gone, else what kept it after all. */
async function removeImage(
  { images, containers }: PruneParts,
  image: ImageSummary,
): Promise<string | undefined> {
  const users = (id: string) => containers.usersOfImage(id);
  const names = [...image.RepoTags, ...image.RepoDigests];
  try {
    for (const name of names.length > 0 ? names : [image.Id])
      if (images.byId(image.Id)) await images.remove(name, { force: false, prune: false, users });
    return images.byId(image.Id) === undefined ? undefined : "another image was made from it";
  } catch (error) {
    if (error instanceof EngineError && error.kind === "notFound") return undefined;
    if (error instanceof EngineError && error.kind === "conflict") return error.message;
    throw error;
  }
}

/** Which images hold a layer: what goes with one is what no other holds. */
class LayerShares {
  private readonly holders = new Map<string, Set<string>>();
  private readonly layersOf = new Map<string, readonly string[]>();
  /** as they were before anything went */
  private readonly sizes: ReadonlyMap<string, number>;

  constructor(parts: PruneParts) {
    this.sizes = new Map(parts.snapshots.layers().map(({ diffId, size }) => [diffId, size]));
    for (const { Id } of parts.images.list({ all: true, filters: new Map(), sharedSize: false }, () => 0)) {
      const layers = parts.images.byId(Id)?.layers ?? [];
      this.layersOf.set(Id, layers);
      for (const layer of layers) this.holders.set(layer, (this.holders.get(layer) ?? new Set()).add(Id));
    }
  }

  /** Bytes of all layers. */
  bytes(): number {
    return [...this.sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  /** Bytes that are freed with an image. */
  release(id: string): number {
    let bytes = 0;
    for (const layer of new Set(this.layersOf.get(id))) {
      const holders = this.holders.get(layer);
      holders?.delete(id);
      if (holders?.size === 0) bytes += this.sizes.get(layer) ?? 0;
    }
    return bytes;
  }
}

function tell({ events }: PruneParts, { removed, bytes }: GcAnswer): void {
  if (removed.length === 0) return;
  events.publish({
    type: "image",
    action: "gc",
    id: "",
    attributes: { removed: String(removed.length), reclaimed: String(bytes) },
  });
}
