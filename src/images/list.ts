import { chainIds } from "../lib/image/digest.ts";
import { matchReference } from "../lib/image/reference.ts";
import { nowNs } from "../lib/time/time.ts";
import { parseTimestamp } from "../lib/time/timestamp.ts";
import { booleanFilter, type Filters, matchLabels, validateFilters } from "../lib/wire/filters.ts";
import type { ImageSummary } from "../types/api.ts";
import type { ImagesContext } from "./deps.ts";
import { referencesOf, split } from "./names.ts";
import { resolve } from "./resolve.ts";
import type { ImageRecord, ImageStore } from "./store.ts";

interface ListOptions {
  all: boolean;
  filters: Filters;
  sharedSize: boolean;
}

/** `GET /images/json`: newest first. `users` counts the containers of an image. */
export function list(
  context: ImagesContext,
  options: ListOptions,
  users: (id: string) => number,
): ImageSummary[] {
  const { store } = context;
  const selects = selector(store, options);
  const shared = options.sharedSize ? sharedSizes(context) : undefined;
  return [...store.all()]
    .filter(selects.byConfig)
    .sort(newestFirst)
    .flatMap((image) => {
      const names = selects.byNames(image);
      if (!names) return [];
      return [summary(image, names, users(image.id), shared?.(image) ?? -1)];
    });
}

function newestFirst(a: ImageRecord, b: ImageRecord): number {
  const [left, right] = [a.createdNs ?? 0n, b.createdNs ?? 0n];
  return left === right ? 0 : left < right ? 1 : -1;
}

/** The two halves of the decision: what the configuration says, and what the names say (which may go missing). */
function selector(store: ImageStore, { all, filters }: ListOptions) {
  validateFilters(filters, ["dangling", "label", "before", "since", "reference", "until"]);
  const danglingOnly = booleanFilter(filters, "dangling", false);
  const span = timeSpan(store, filters);
  const patterns = filters.get("reference");
  const parents = new Set([...store.all()].map((image) => image.parent));

  const byConfig = (image: ImageRecord): boolean =>
    span(image) &&
    matchLabels(filters, "label", image.config.config?.Labels) &&
    !(danglingOnly && parents.has(image.id));

  const byNames = (image: ImageRecord) => {
    const references = referencesOf(store, image.id);
    const kept = patterns
      ? references.filter((one) => patterns.some((pattern) => matchReference(pattern, one)))
      : references;
    const names = split(kept);
    if (kept.length > 0) return danglingOnly && names.tags.length > 0 ? undefined : names;
    if (patterns || (filters.has("dangling") && !danglingOnly)) return undefined;
    return all || !parents.has(image.id) ? names : undefined;
  };
  return { byConfig, byNames };
}

/** `before`, `until` and `since`: several values mean the narrowest span; its ends are not in it. */
function timeSpan(store: ImageStore, filters: Filters): (image: ImageRecord) => boolean {
  const createdOf = (name: string) => resolve(store, name).createdNs;
  const now = nowNs();
  const defined = (value: bigint | undefined): value is bigint => value !== undefined;
  const ends = [
    ...(filters.get("before") ?? []).map(createdOf),
    ...(filters.get("until") ?? []).map((text) => parseTimestamp(text, now)),
  ].filter(defined);
  const starts = (filters.get("since") ?? []).map(createdOf).filter(defined);
  return ({ createdNs }) =>
    ends.every((end) => createdNs !== undefined && createdNs < end) &&
    starts.every((start) => createdNs !== undefined && createdNs > start);
}

function summary(
  image: ImageRecord,
  names: { tags: string[]; digests: string[] },
  containers: number,
  sharedSize: number,
): ImageSummary {
  return {
    Containers: containers,
    Created: Number((image.createdNs ?? 0n) / 1_000_000_000n),
    Id: image.id,
    Labels: image.config.config?.Labels ?? null,
    ParentId: image.parent,
    RepoDigests: names.digests,
    RepoTags: names.tags,
    SharedSize: sharedSize,
    Size: image.size,
  };
}

/** Bytes of an image's layers that another image stands on too: stacks are compared, as Docker counts them. */
function sharedSizes({ store, snapshots }: ImagesContext): (image: ImageRecord) => number {
  const stacks = new Map<string, number>();
  for (const image of store.all())
    for (const stack of chainIds(image.layers)) stacks.set(stack, (stacks.get(stack) ?? 0) + 1);
  return (image) =>
    chainIds(image.layers).reduce((total, stack, index) => {
      const layer = snapshots.layer(image.layers[index] ?? "");
      return (stacks.get(stack) ?? 0) > 1 ? total + (layer?.size ?? 0) : total;
    }, 0);
}
