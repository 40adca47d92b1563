import { eachOf } from "../../lib/each.ts";
import type { ContainerSummary } from "../../types/api.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import type { ListRequest } from "../contract.ts";
import { sizesOf } from "../inspect/sizes.ts";
import { namesByLinks } from "../links/link.ts";
import { filterTest } from "./filter.ts";
import { stateWord, statusText } from "./status.ts";
import { stillOf } from "./still.ts";

/** `GET /containers/json`: newest first; only running ones unless asked, or unless a filter speaks of others. */
export async function list(ctx: Context, request: ListRequest): Promise<ContainerSummary[]> {
  const tell = teller(ctx, request.why ?? false);
  const chosen = choose(ctx, request);
  if (!request.size) return chosen.map((container) => tell(container, {}));
  const sizes = await sizesOfAll(ctx, chosen);
  return chosen.flatMap((container) => {
    const known = sizes.get(container);
    return known === undefined ? [] : [tell(container, known)];
  });
}

/** Sizes that are asked for at a time: the threads that know them have other work too, which should not wait for all. */
const sizesAtOnce = 4;

/** Those that are removed meanwhile are left out. */
async function sizesOfAll(ctx: Context, containers: readonly Container[]): Promise<Map<Container, Sizes>> {
  const all = new Map<Container, Sizes>();
  await eachOf(containers, sizesAtOnce, async (container) => {
    try {
      const { rw, rootFs } = await sizesOf(ctx, container);
      all.set(container, { ...(rw ? { SizeRw: rw } : {}), ...(rootFs ? { SizeRootFs: rootFs } : {}) });
    } catch (error) {
      if (ctx.store.get(container.id) !== undefined) throw error;
    }
  });
  return all;
}

function choose(ctx: Context, request: ListRequest): Container[] {
  const test = filterTest(ctx, request.filters);
  const limit = request.limit !== undefined && request.limit > 0 ? request.limit : undefined;
  const named = request.filters.has("status") || request.filters.has("exited");
  const all =
    request.all ||
    limit !== undefined ||
    named ||
    request.filters.has("before") ||
    request.filters.has("since");
  return ctx.store
    .all()
    .reverse() // so that there is next to nothing to sort
    .sort((a, b) => (a.createdAtNs > b.createdAtNs ? -1 : a.createdAtNs < b.createdAtNs ? 1 : 0))
    .filter((container) => (all || container.running) && test(container))
    .slice(0, limit);
}

type Sizes = Pick<ContainerSummary, "SizeRw" | "SizeRootFs">;

/** Makes summaries for one list, of which all rows are told as of one moment. */
function teller(ctx: Context, why: boolean): (container: Container, sizes: Sizes) => ContainerSummary {
  const names = namesByLinks(ctx);
  const image = imageTeller(ctx);
  const nowMs = Date.now();
  return (container, sizes) => {
    const { Command, Created, Ports, Labels, Reason, HostConfig, NetworkSettings, Mounts } = stillOf(
      ctx,
      container,
    );
    return {
      Id: container.id,
      Names: names(container),
      Image: image(container),
      ImageID: container.imageId,
      Command,
      Created,
      Ports,
      ...sizes,
      Labels,
      State: stateWord(container),
      ...(why && Reason !== undefined ? { Reason } : {}),
      Status: statusText(container, container.health?.status, nowMs),
      HostConfig,
      NetworkSettings,
      Mounts,
    };
  };
}

/** The image as the user named it, or by its id where that name is another's now. Many containers have one image. */
function imageTeller(ctx: Context): (container: Container) => string {
  const told = new Map<string, string>();
  return ({ spec, imageId }) => {
    const { Image } = spec.config;
    const key = `${imageId} ${Image}`;
    const before = told.get(key);
    if (before !== undefined) return before;
    const text = Image === "" || ctx.images.isNamed(Image, imageId) ? Image : imageId;
    told.set(key, text);
    return text;
  };
}
