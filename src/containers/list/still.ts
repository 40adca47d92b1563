import type { ContainerSummary } from "../../types/api.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { whyEnded } from "../lifecycle/ended.ts";
import { endpointsAreKnown, endpointsOf } from "../networks/endpoints.ts";
import { portSummaries } from "./ports.ts";

/** What a summary tells by the container's spec and life alone. */
type Still = Pick<
  ContainerSummary,
  "Command" | "Created" | "Ports" | "Labels" | "Reason" | "HostConfig" | "NetworkSettings" | "Mounts"
>;

interface Kept {
  madeOf: Pick<Container, "spec" | "life">;
  still: Still;
}

const kept = new WeakMap<Container, Kept>();

/** Made once for each spec and life: most of a list is the same from one call to the next. */
export function stillOf(ctx: Context, container: Container): Still {
  const { spec, life } = container;
  const before = kept.get(container);
  if (before && before.madeOf.spec === spec && before.madeOf.life === life) return before.still;
  const still = makeStill(ctx, container);
  if (endpointsAreKnown(container)) kept.set(container, { madeOf: { spec, life }, still });
  return still;
}

function makeStill(ctx: Context, container: Container): Still {
  const { spec } = container;
  const why = whyEnded(container);
  return {
    Command: commandText(container),
    Created: Number(container.createdAtNs / 1_000_000_000n),
    Ports: portSummaries(container),
    Labels: spec.config.Labels,
    // our own addition: why it does not run
    ...(why ? { Reason: why.reason } : {}),
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

/** Path and arguments as one line; an argument with spaces stays as it is, or is put in quotes where Docker does. */
function commandText({ spec: { path, args } }: Container): string {
  if (args.length === 0) return path;
  return `${path} ${args.map((arg) => (arg.includes(" ") ? `'${arg}'` : arg)).join(" ")}`;
}
