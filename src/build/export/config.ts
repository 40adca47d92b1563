import { buildkitComment } from "../../lib/image/buildkit-comment.ts";
import { imageConfigOrder } from "../../lib/image/config-order.ts";
import { formatNs } from "../../lib/time/time.ts";
import type { HistoryEntry, ImageConfig, ImageRunConfig, Platform } from "../../types/oci.ts";
import type { HistoryStep } from "../graph/build-graph.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Outcome } from "../operations/plan.ts";

interface ConfigRequest {
  /** what the stage came to: its history, and the image it began with */
  stage: {
    base: ImageConfig | undefined;
    config: ImageRunConfig;
    author: string | undefined;
    history: readonly HistoryStep[];
  };
  platform: Platform;
  layers: readonly string[];
  resultOf(vertex: Vertex | undefined): Outcome;
  /** of the request (`--label`): they win over the Dockerfile's */
  labels: ReadonlyMap<string, string>;
  /** seconds; no time told is later */
  sourceDateEpoch: number | undefined;
  /** of each history entry; BuildKit's where absent */
  comment?: string;
}

/** The image's configuration, member by member in the order BuildKit writes them. */
export function imageConfig({
  stage,
  platform,
  layers,
  resultOf,
  labels,
  sourceDateEpoch,
  comment = buildkitComment,
}: ConfigRequest): ImageConfig {
  const { base, author } = stage;
  const own = stage.history.map(({ createdBy, emptyLayer, vertex }): HistoryEntry => {
    const created = vertex === undefined ? undefined : resultOf(vertex).created;
    return {
      ...(created === undefined ? {} : { created }),
      created_by: createdBy,
      ...(comment === "" ? {} : { comment }),
      ...(emptyLayer ? { empty_layer: true } : {}),
    };
  });
  const before = base?.history ?? [];
  const history = limited(timed([...before, ...own]), before.length, sourceDateEpoch);
  const created =
    history.at(-1)?.created ?? (sourceDateEpoch === undefined ? base?.created : epochTime(sourceDateEpoch));
  const { architecture, os, variant } = base ?? platform;
  const osVersion = base?.["os.version"];
  return {
    architecture,
    ...(author === undefined ? {} : { author }),
    config: ordered(labelled(stage.config, labels)),
    ...(created === undefined ? {} : { created }),
    history,
    os,
    ...(osVersion === undefined ? {} : { "os.version": osVersion }),
    rootfs: { type: "layers", diff_ids: [...layers] },
    ...(variant === undefined || variant === "" ? {} : { variant }),
  };
}

/** Maps' keys in the order in which Go writes them, so that the same labels give the same bytes. */
function labelled(config: ImageRunConfig, labels: ReadonlyMap<string, string>): ImageRunConfig {
  const { ExposedPorts, Volumes } = config;
  return {
    ...config,
    Labels: sorted({ ...config.Labels, ...Object.fromEntries(labels) }),
    ...(ExposedPorts ? { ExposedPorts: sorted(ExposedPorts) } : {}),
    ...(Volumes ? { Volumes: sorted(Volumes) } : {}),
  };
}

const sorted = <T>(map: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(map).sort(([one], [other]) => (one < other ? -1 : 1)));

const epochTime = (seconds: number): string => formatNs(BigInt(seconds) * 1_000_000_000n);

/**
 * Steps without a layer get the time of the first new layer, later ones that of the layer before them: the same build from
 * the cache tells the same times.
 */
function timed(history: readonly HistoryEntry[]): HistoryEntry[] {
  let time: string | undefined;
  let missing = false;
  for (const { created } of history) {
    if (created === undefined) missing = true;
    else {
      time = created;
      if (missing) break;
    }
  }
  missing = false;
  return history.map((entry) => {
    if (entry.created !== undefined) {
      if (missing) time = entry.created;
      return entry;
    }
    missing = true;
    return time === undefined ? entry : { created: time, ...entry };
  });
}

/** No entry from `from` on is later than the epoch; those before are the base image's, whatever they say. */
function limited(history: HistoryEntry[], from: number, epoch: number | undefined): HistoryEntry[] {
  if (epoch === undefined) return history;
  const latest = epochTime(epoch);
  return history.map((entry, index) =>
    index >= from && (entry.created === undefined || Date.parse(entry.created) >= epoch * 1000)
      ? { ...entry, created: latest }
      : entry,
  );
}

/** What is empty is left out, as BuildKit leaves it. */
function ordered(config: ImageRunConfig): ImageRunConfig {
  const entries = imageConfigOrder
    .map((name) => [name, config[name]] as const)
    .filter(([, value]) => value !== undefined && value !== null && value !== "" && !isEmpty(value));
  return Object.fromEntries(entries) as ImageRunConfig;
}

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.length === 0
    : typeof value === "object" && value !== null && Object.keys(value).length === 0;
