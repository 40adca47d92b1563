import { shortId } from "../../../lib/ids.ts";
import { humanDuration, humanSize } from "../../../lib/text/units.ts";
import type { BuildCacheRecord, ContainerSummary, DiskUsage, UsedImage, Volume } from "../../../types/api.ts";
import { CliError } from "../../errors.ts";
import { formatList, unescapeFormat } from "../formatter.ts";
import type { RowKind } from "../row-kind.ts";
import { containerRows } from "./container-rows.ts";
import { type ImageRow, imageRows, toRows } from "./image-rows.ts";
import { volumeRows } from "./volume-rows.ts";

interface Summary {
  type: string;
  total: number;
  active: number;
  size: number;
  reclaimable: number;
  percent: boolean;
}

export const summaryRow: RowKind<Summary> = {
  goType: "*formatter.diskUsageImagesContext",
  headers: { Type: "TYPE", TotalCount: "TOTAL", Active: "ACTIVE", Size: "SIZE", Reclaimable: "RECLAIMABLE" },
  fields: {
    Type: ({ type }) => type,
    TotalCount: ({ total }) => String(total),
    Active: ({ active }) => String(active),
    Size: ({ size }) => humanSize(size),
    Reclaimable: ({ size, reclaimable, percent }) =>
      percent && size > 0
        ? `${humanSize(reclaimable)} (${Math.trunc((reclaimable * 100) / size)}%)`
        : humanSize(reclaimable),
  },
};

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

export function summaryRows({ LayersSize, Images, Containers, Volumes, BuildCache }: DiskUsage): Summary[] {
  const images = Images ?? [];
  const containers = Containers ?? [];
  const volumes = Volumes ?? [];
  const cache = BuildCache ?? [];
  const used = images.filter((image) => image.Containers > 0);
  const usedSize = sum(used.map((image) => (image.SharedSize < 0 ? 0 : image.Size - image.SharedSize)));
  const running = containers.filter(({ State }) => ["running", "paused", "restarting"].includes(State));
  const size = (list: ContainerSummary[]): number => sum(list.map((each) => each.SizeRw ?? 0));
  const volumeSize = (list: Volume[]): number =>
    sum(list.map((each) => Math.max(0, each.UsageData?.Size ?? 0)));
  const idle = volumes.filter((volume) => (volume.UsageData?.RefCount ?? 0) === 0);
  const cacheSize = sum(cache.filter(({ Shared }) => !Shared).map(({ Size }) => Size));
  return [
    {
      type: "Images",
      total: images.length,
      active: used.length,
      size: LayersSize,
      reclaimable: LayersSize - usedSize,
      percent: true,
    },
    {
      type: "Containers",
      total: containers.length,
      active: running.length,
      size: size(containers),
      reclaimable: size(containers) - size(running),
      percent: true,
    },
    {
      type: "Local Volumes",
      total: volumes.length,
      active: volumes.length - idle.length,
      size: volumeSize(volumes),
      reclaimable: volumeSize(idle),
      percent: true,
    },
    {
      type: "Build Cache",
      total: cache.length,
      active: cache.filter(({ InUse }) => InUse).length,
      size: cacheSize,
      reclaimable: sum(cache.filter(({ InUse, Shared }) => !InUse && !Shared).map(({ Size }) => Size)),
      percent: false,
    },
  ];
}

const age = (time: string | null): string =>
  time ? `${humanDuration((Date.now() - Date.parse(time)) / 1000)} ago` : "";

const cacheRows: RowKind<BuildCacheRecord> = {
  goType: "*formatter.buildCacheContext",
  headers: {
    ID: "CACHE ID",
    CacheType: "CACHE TYPE",
    Size: "SIZE",
    CreatedSince: "CREATED",
    LastUsedSince: "LAST USED",
    UsageCount: "USAGE",
    Shared: "SHARED",
  },
  fields: {
    ID: ({ ID, InUse }) => shortId(ID) + (InUse ? "*" : ""),
    CacheType: ({ Type }) => Type,
    Size: ({ Size }) => humanSize(Size, 3),
    CreatedSince: ({ CreatedAt }) => age(CreatedAt),
    LastUsedSince: ({ LastUsedAt }) => age(LastUsedAt),
    UsageCount: ({ UsageCount }) => String(UsageCount),
    Shared: ({ Shared }) => String(Shared),
  },
};

function usedImages(noTrunc: boolean): RowKind<ImageRow> {
  const images = imageRows(noTrunc);
  const SharedSize = ({ image }: ImageRow): string => humanSize(Math.max(0, image.SharedSize));
  return { ...images, fields: { ...images.fields, SharedSize, Digest: () => "" } };
}

/** Of a container's sizes the one that is its own. */
function usedContainers(noTrunc: boolean): RowKind<ContainerSummary> {
  const { columns: _whole, ...containers } = containerRows(noTrunc);
  const Size = ({ SizeRw = 0 }: ContainerSummary): string => humanSize(SizeRw, 3);
  return { ...containers, fields: { ...containers.fields, Size } };
}

/** `system df -v --format …`: one template over the four lists. */
export function verboseBy(format: string, usage: DiskUsage): string {
  const { parseTemplate, Row } = require("../template-rows.ts") as typeof import("../template-rows.ts");
  const rows = <T>(kind: RowKind<T>, items: readonly T[] | null): InstanceType<typeof Row<T>>[] =>
    (items ?? []).map((item) => new Row(kind, item));
  const whole: RowKind<DiskUsage> = {
    goType: "*formatter.diskUsageContext",
    headers: {},
    isStructure: true,
    fields: {
      Images: ({ Images }) => rows(usedImages(true), Images?.map(firstRow) ?? null),
      Containers: ({ Containers }) => rows(usedContainers(true), Containers),
      Volumes: ({ Volumes }) => rows(volumeRows, Volumes),
      BuildCache: ({ BuildCache }) => rows(cacheRows, BuildCache),
    },
  };
  const template = parseTemplate(format === "json" ? "{{json .}}" : unescapeFormat(format));
  try {
    return template.render(new Row(whole, usage));
  } catch (error) {
    throw new CliError((error as Error).message); // bare, as Docker has it here alone
  }
}

/** `system df -v`: a table of each kind. */
export function verbose({ Images, Containers, Volumes, BuildCache }: DiskUsage): string {
  const imageKind = usedImages(false);
  const containers = usedContainers(false);
  const cache = BuildCache ?? [];
  const cacheSize = humanSize(sum(cache.filter(({ Shared }) => !Shared).map(({ Size }) => Size)));
  return [
    "Images space usage:\n",
    formatList(imageKind, (Images ?? []).map(firstRow), {
      format: "",
      table:
        "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}",
    }),
    "Containers space usage:\n",
    formatList(containers, Containers ?? [], {
      format: "",
      table:
        "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}",
    }),
    "Local Volumes space usage:\n",
    formatList(volumeRows, Volumes ?? [], { format: "", table: "{{.Name}}\t{{.Links}}\t{{.Size}}" }),
    `Build cache usage: ${cacheSize}\n`,
    formatList(cacheRows, cache, {
      format: "",
      table:
        "{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}",
    }),
  ].join("\n");
}

/** Each image once, under its first name, as in Docker. */
const firstRow = (image: UsedImage): ImageRow =>
  toRows({ ...image, RepoTags: (image.RepoTags ?? []).slice(0, 1), RepoDigests: [] }, false)[0] ?? {
    image,
    repository: "<none>",
    tag: "<none>",
    digest: "<none>",
  };
