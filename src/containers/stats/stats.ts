import type { StatsResponse } from "../../types/api.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { type Sample, statsOf } from "./response.ts";
import { Moment } from "./sampler.ts";

const betweenMs = 1000;

const named = ({ id, name }: Container): { name: string; id: string } => ({ name: `/${name}`, id });

/**
 * `GET /containers/{id}/stats?stream=false`: two samples a second apart, so that a client can tell how busy it is; with
 * `oneShot` one, and no name. A container that does not run answers at once.
 */
export async function statsOnce(
  ctx: Context,
  container: Container,
  { oneShot }: { oneShot: boolean },
): Promise<StatsResponse> {
  const first = await new Moment().sample(ctx, container);
  if (!first) return { ...named(container), ...statsOf(undefined, undefined) };
  if (oneShot) return statsOf(first, undefined);
  await new Promise<void>((resolve) => void ctx.clock.after(betweenMs, resolve));
  const second = await new Moment().sample(ctx, container);
  return { ...named(container), ...statsOf(second, first) };
}

/**
 * A sample a second, until the container is removed, the client leaves or the engine closes. A slow client misses
 * samples: there is never more than one in memory for it.
 */
export async function* followStats(
  ctx: Context,
  container: Container,
  signal: AbortSignal,
): AsyncGenerator<StatsResponse, void> {
  let before: Sample | undefined;
  do {
    const sample = await ctx.stats.current().sample(ctx, container);
    yield { ...named(container), ...statsOf(sample, before) };
    before = sample;
  } while ((await ctx.stats.next(signal)) && ctx.store.get(container.id) === container);
}
