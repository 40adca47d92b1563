import { EngineError } from "../../lib/errors.ts";
import { shortId } from "../../lib/ids.ts";
import { buildkitComment } from "../../lib/image/buildkit-comment.ts";
import { chainIds } from "../../lib/image/digest.ts";
import {
  canonical,
  familiar,
  parseReference,
  type Reference,
  repositoryOf,
} from "../../lib/image/reference.ts";
import type { ImageDeleteItem } from "../../types/api.ts";
import type { ImageUser } from "../contract.ts";
import type { ImagesContext } from "../deps.ts";
import { referencesOf } from "../names.ts";
import { platformOf, requirePlatform } from "../platform.ts";
import { publish } from "../publish.ts";
import { keyOf, resolve } from "../resolve.ts";
import type { ImageRecord, ImageStore } from "../store.ts";

interface RemoveOptions {
  force: boolean;
  /** also delete the images it was made from, where nothing else needs them */
  prune: boolean;
  users: (imageId: string) => ImageUser[];
  /** refuse where it is of another */
  platforms?: readonly string[];
}

/**
 * `DELETE /images/{name}`. A name takes only itself away while the image has other names; the last name takes the
 * image along. An id takes the image with its names, if they are of one repository or force is given. What runs, and
 * what another image was made from, stays in any case.
 */
export async function remove(
  context: ImagesContext,
  text: string,
  options: RemoveOptions,
): Promise<ImageDeleteItem[]> {
  const removal = new Removal(context, options);
  const platforms = (options.platforms ?? []).map(platformOf);
  const image = resolve(context.store, text);
  for (const each of platforms) requirePlatform(image, text, each);
  if (isKept(context, image, text) && !options.force)
    throw new EngineError(
      "conflict",
      `conflict: unable to delete ${shortId(image.id)} (must be forced) - image is pinned`,
    );
  if (isIdPrefix(image.id, text)) removal.byId(image);
  else removal.byName(image, text);
  await context.reaper.release(removal.layers);
  return removal.items;
}

/** A pinned image may lose names but for the last one and those that are pinned. */
function isKept({ pins, store }: ImagesContext, image: ImageRecord, text: string): boolean {
  if (!pins.has(image.id)) return false;
  const references = referencesOf(store, image.id);
  if (isIdPrefix(image.id, text) || isSingle(references)) return true;
  return pins.isName(keyOf(parseReference(text)));
}

const isIdPrefix = (id: string, text: string): boolean =>
  id.startsWith(text) || id.slice("sha256:".length).startsWith(text);

interface Conflict {
  hard: boolean;
  /** a container is the reason */
  used: boolean;
  error: EngineError;
}

/** One request, decided and done without a pause, so that nothing changes between the two. */
class Removal {
  readonly items: ImageDeleteItem[] = [];
  /** layers that may be deleted now */
  readonly layers: string[] = [];
  private readonly context: ImagesContext;
  private readonly store: ImageStore;
  private readonly options: RemoveOptions;

  constructor(context: ImagesContext, options: RemoveOptions) {
    this.context = context;
    this.store = context.store;
    this.options = options;
  }

  byName(image: ImageRecord, text: string): void {
    const [user] = this.options.users(image.id);
    if (user && !this.options.force && isSingle(referencesOf(this.store, image.id)))
      throw new EngineError(
        "conflict",
        `conflict: unable to remove repository reference ${JSON.stringify(text)} (must force) - container ${shortId(user.containerId)} is using its referenced image ${shortId(image.id)}`,
      );
    const named = parseReference(keyOf(parseReference(text)));
    this.untag(image, named);
    publish(this.context, "untag", image.id);
    if (named.digest === undefined) this.untagDigestsOf(image, repositoryOf(named));
    if (this.store.referencesOf(image.id).length === 0)
      this.delete(image, { force: this.options.force, quiet: true });
  }

  byId(image: ImageRecord): void {
    const references = referencesOf(this.store, image.id);
    if (isSingle(references)) {
      const conflict = this.conflict(image, { stopped: !this.options.force, named: false });
      if (conflict) throw conflict.error;
      for (const reference of references) {
        this.untag(image, reference);
        publish(this.context, "untag", image.id);
      }
    }
    this.delete(image, { force: this.options.force, quiet: false });
  }

  private untag(image: ImageRecord, reference: Reference): void {
    this.store.remove(image.id, [canonical(reference)], { image: false });
    this.items.push({ Untagged: familiar(reference) });
  }

  /** Once the last tag of a repository is gone, its digests say nothing to anyone. */
  private untagDigestsOf(image: ImageRecord, repository: string): void {
    const same = referencesOf(this.store, image.id).filter(
      (reference) => repositoryOf(reference) === repository,
    );
    if (same.some(({ digest }) => digest === undefined)) return;
    for (const reference of same) this.untag(image, reference);
  }

  /** `quiet`: a conflict is no error where the image stays named or a container has it. */
  private delete(image: ImageRecord, { force, quiet }: { force: boolean; quiet: boolean }): void {
    const conflict = this.conflict(image, { stopped: !force, named: !force });
    if (conflict) {
      const dangling =
        this.store.referencesOf(image.id).length === 0 && this.store.childrenOf(image.id).length === 0;
      if (quiet && (!dangling || conflict.used)) return;
      throw conflict.error;
    }
    this.deleteImage(image);
    const parent = this.options.prune ? this.store.get(image.parent) : undefined;
    if (parent && !this.context.pins.has(parent.id)) this.delete(parent, { force: false, quiet: true });
  }

  private deleteImage(image: ImageRecord): void {
    const references = referencesOf(this.store, image.id);
    for (const reference of references) {
      this.items.push({ Untagged: familiar(reference) });
      publish(this.context, "untag", image.id);
    }
    this.store.remove(image.id, references.map(canonical), { image: true });
    this.context.pins.forget(image.id);
    this.context.uses.forget(image.id);
    publish(this.context, "delete", image.id);
    this.items.push({ Deleted: image.id });
    this.releaseLayers(image);
  }

  /**
   * Layers go from the top of the stack down to the first that another image stands on, or with their last container,
   * or with the build cache. What holds a layer holds those below it: from there on nothing is told as deleted.
   */
  private releaseLayers(image: ImageRecord): void {
    const stacks = chainIds(image.layers);
    const others = new Set([...this.store.all()].flatMap((other) => chainIds(other.layers)));
    const held = new Set([...this.context.reaper.underContainers(), ...this.inBuildCache(image)]);
    let told = true;
    for (let index = stacks.length - 1; index >= 0; index--) {
      const [stack = "", diffId = ""] = [stacks[index], image.layers[index]];
      if (others.has(stack)) break;
      told &&= !held.has(diffId);
      if (told) this.items.push({ Deleted: stack });
      this.layers.push(diffId);
    }
  }

  /** Those of its layers that stay as results of build steps. The classic builder's cache are images: not its layers. */
  private inBuildCache(image: ImageRecord): string[] {
    const cached = this.context.reaper.inBuildCache();
    const steps = (image.config.history ?? []).filter(({ empty_layer: isEmpty }) => isEmpty !== true);
    return image.layers.filter(
      (layer, index) => cached.has(layer) && steps[index]?.comment === buildkitComment,
    );
  }

  private conflict(image: ImageRecord, soft: { stopped: boolean; named: boolean }): Conflict | undefined {
    const refuse = (hard: boolean, used: boolean, why: string): Conflict => {
      const sentence = `conflict: unable to delete ${shortId(image.id)} (${hard ? "cannot" : "must"} be forced) - ${why}`;
      return { hard, used, error: new EngineError("conflict", sentence) };
    };
    if (this.store.childrenOf(image.id).length > 0)
      return refuse(true, false, "image has dependent child images");
    const users = this.options.users(image.id);
    const running = users.find((user) => user.running);
    if (running)
      return refuse(true, true, `image is being used by running container ${shortId(running.containerId)}`);
    if (soft.named && this.store.referencesOf(image.id).length > 0)
      return refuse(false, false, "image is referenced in multiple repositories");
    const stopped = soft.stopped ? users[0] : undefined;
    return stopped
      ? refuse(false, true, `image is being used by stopped container ${shortId(stopped.containerId)}`)
      : undefined;
  }
}

/** Whether the references are one name: at most one tag, and digests of its repository only. */
function isSingle(references: readonly Reference[]): boolean {
  if (references.length <= 1) return true;
  const tags = references.filter(({ digest }) => digest === undefined);
  const repositories = new Set(references.filter(({ digest }) => digest !== undefined).map(repositoryOf));
  const [name] = tags.length > 0 ? tags : references;
  return (
    tags.length <= 1 && name !== undefined && repositories.size === 1 && repositories.has(repositoryOf(name))
  );
}
