import { humanSize } from "../../../lib/text/units.ts";
import type { ContainerSummary } from "../../../types/api.ts";
import { oneByOne, type RowKind } from "../row-kind.ts";
import { ellipsis, joinLabels, localTime } from "../text.ts";
import { containerColumns } from "./container-columns.ts";

export const containerTable = (size: boolean, why = false): string =>
  `{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}${size ? "\t{{.Size}}" : ""}${why ? "\t{{.Reason}}" : ""}`;

export function rawContainer(quiet: boolean, size: boolean): string {
  if (quiet) return "container_id: {{.ID}}";
  const lines = [
    "container_id: {{.ID}}",
    "image: {{.Image}}",
    "command: {{.Command}}",
    "created_at: {{.CreatedAt}}",
    "state: {{- pad .State 1 0}}",
    "status: {{- pad .Status 1 0}}",
    "names: {{.Names}}",
    "labels: {{- pad .Labels 1 0}}",
    "ports: {{- pad .Ports 1 0}}",
    ...(size ? ["size: {{.Size}}"] : []),
  ];
  return `${lines.join("\n")}\n`;
}

type C = ContainerSummary;

const reasonMax = 60;

export const containerRows = (noTrunc: boolean): RowKind<C> => ({
  goType: "*formatter.ContainerContext",
  headers: {
    ID: "CONTAINER ID",
    Names: "NAMES",
    Image: "IMAGE",
    Command: "COMMAND",
    CreatedAt: "CREATED AT",
    RunningFor: "CREATED",
    Ports: "PORTS",
    State: "STATE",
    Status: "STATUS",
    Size: "SIZE",
    Labels: "LABELS",
    Mounts: "MOUNTS",
    LocalVolumes: "LOCAL VOLUMES",
    Networks: "NETWORKS",
    Platform: "PLATFORM",
    HealthStatus: "HEALTH STATUS",
    Reason: "WHY",
  },
  columns: containerColumns(noTrunc),
  fields: {
    ...oneByOne(containerColumns(noTrunc)),
    CreatedAt: (c) => localTime(c.Created),
    State: (c) => c.State,
    Size: (c) => size(c),
    Labels: (c) => joinLabels(c.Labels),
    Mounts: (c) =>
      (c.Mounts ?? [])
        .map((mount) => {
          const name = mount.Name || mount.Source;
          return noTrunc ? name : ellipsis(name, 15);
        })
        .join(","),
    LocalVolumes: (c) => String((c.Mounts ?? []).filter((mount) => mount.Driver === "local").length),
    Networks: (c) => Object.keys(c.NetworkSettings?.Networks ?? {}).join(","),
    Platform: (c) =>
      (c as { ImageManifestDescriptor?: { platform?: unknown } }).ImageManifestDescriptor?.platform ?? null,
    HealthStatus: (c) =>
      /\((healthy|unhealthy|health: starting)\)/.exec(c.Status)?.[1]?.replace("health: ", "") ?? "",
    Reason: (c) => (noTrunc ? (c.Reason ?? "") : ellipsis(c.Reason ?? "", reasonMax)),
  },
  methods: { Label: (c) => (name) => c.Labels?.[String(name)] ?? "" },
  notPlain: ["CreatedAt", "Platform"],
  notInJson: ["HealthStatus", "Reason"],
});

function size(c: C): string {
  const own = humanSize(c.SizeRw ?? 0, 3);
  return c.SizeRootFs ? `${own} (virtual ${humanSize(c.SizeRootFs, 3)})` : own;
}
