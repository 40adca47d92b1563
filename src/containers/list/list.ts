import type { ContainerSummary } from "../../types/api.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import type { ListRequest } from "../contract.ts";
import { whyEnded } from "../ended.ts";
import { namesByLinks } from "../links/link.ts";
import { endpointsOf } from "../networks/endpoints.ts";
import { sizesOf } from "../sizes.ts";
import { filterTest } from "./filter.ts";
import { portSummaries } from "./ports.ts";
import { stateWord, statusText } from "./status.ts";

/** `GET /containers/json`: newest first; only running ones unless asked, or unless a filter speaks of others. */
export async function list(ctx: Context, request: ListRequest): Promise<ContainerSummary[]> {
  const test = filterTest(ctx, request.filters);
  const limit = request.limit !== undefined && request.limit > 0 ? request.limit : undefined;
  const named = request.filters.has("status") || request.filters.has("exited");
  const all =
    request.all ||
    limit !== undefined ||
    named ||
    request.filters.has("before") ||
    request.filters.has("since");
  const chosen = ctx.store
    .all()
    .sort((a, b) => (a.createdAtNs > b.createdAtNs ? -1 : a.createdAtNs < b.createdAtNs ? 1 : 0))
    .filter((container) => (all || container.running) && test(container))
    .slice(0, limit);
  const names = namesByLinks(ctx);
  return Promise.all(chosen.map((container) => summary(ctx, container, { size: request.size, names })));
}

async function summary(
  ctx: Context,
  container: Container,
  { size, names }: { size: boolean; names: (container: Container) => string[] },
): Promise<ContainerSummary> {
  const { spec } = container;
  const sizes = size ? await sizesOf(ctx, container) : undefined;
  return {
    Id: container.id,
    Names: names(container),
    Image:
      ctx.images.isNamed(spec.config.Image, container.imageId) || spec.config.Image === ""
        ? spec.config.Image
        : container.imageId,
    ImageID: container.imageId,
    Command: commandText(container),
    Created: Number(container.createdAtNs / 1_000_000_000n),
    Ports: portSummaries(container),
    ...(sizes?.rw ? { SizeRw: sizes.rw } : {}),
    ...(sizes?.rootFs ? { SizeRootFs: sizes.rootFs } : {}),
    Labels: spec.config.Labels,
    State: stateWord(container),
    ...reason(container),
    Status: statusText(container, container.health?.status),
    HostConfig: {
      NetworkMode: spec.hostConfig.NetworkMode,
      ...(spec.hostConfig.Annotations ? { Annotations: spec.hostConfig.Annotations } : {}),
    },
    NetworkSettings: { Networks: endpointsOf(ctx, container) },
    // Docker knows a volume's path here only once it was mounted
    Mounts: spec.mounts.map(({ point }) =>
      point.Type === "volume" && container.neverStarted ? { ...point, Source: "" } : point,
    ),
  };
}

/** Our own addition: why it does not run. */
function reason(container: Container): { Reason?: string } {
  const why = whyEnded(container);
  return why ? { Reason: why.reason } : {};
}

/** Path and arguments as one line; an argument with spaces stays as it is, or is put in quotes where Docker does. */
function commandText({ spec: { path, args } }: Container): string {
  if (args.length === 0) return path;
  return `${path} ${args.map((arg) => (arg.includes(" ") ? `'${arg}'` : arg)).join(" ")}`;
}
