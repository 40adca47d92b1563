import { shortId } from "../../../lib/ids.ts";
import { formatPlatform } from "../../../lib/image/platform.ts";
import { humanSize } from "../../../lib/text/units.ts";
import type { ImageSummary } from "../../../types/api.ts";
import type { Platform } from "../../../types/oci.ts";

/** One platform of an image. */
export interface TreeChild {
  platform: Platform;
  id: string;
  bytes: number;
  contentBytes: number;
  inUse: boolean;
}

interface TreeImage {
  summary: ImageSummary;
  children: TreeChild[];
}

type Row = [name: string, id: string, usage: string, content: string, extra: string];

const headers: Row = ["IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"];
const inUseMark = "U";

/** `images --tree`: an image under all its names, its platforms below it; docker's columns. */
export function imageTree(images: readonly TreeImage[]): string {
  const rows = [headers, ...images.flatMap(rowsOf)];
  const widths = headers.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: Row): string =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 2 || column === 3 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("   ")
      .trimEnd();
  return `${rows.map(line).join("\n")}\n`;
}

function rowsOf({ summary, children }: TreeImage): Row[] {
  const names = summary.RepoTags.length > 0 ? summary.RepoTags : ["<untagged>"];
  const content = children.reduce((total, { contentBytes }) => total + contentBytes, 0);
  const above = names.slice(0, -1).map((name): Row => [name, "", "", "", ""]);
  const last: Row = [
    names.at(-1) ?? "",
    shortId(summary.Id),
    humanSize(summary.Size, 3),
    humanSize(content, 3),
    summary.Containers > 0 ? inUseMark : "",
  ];
  const below = children.map((child, index): Row => {
    const mark = index === children.length - 1 ? "└─" : "├─";
    const { platform, id, bytes, contentBytes, inUse } = child;
    return [
      `${mark} ${formatPlatform(platform)}`,
      shortId(id),
      humanSize(bytes, 3),
      humanSize(contentBytes, 3),
      inUse ? inUseMark : "",
    ];
  });
  return [...above, last, ...below];
}
