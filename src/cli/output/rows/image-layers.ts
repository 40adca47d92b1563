import { counted } from "../../../lib/text/counted.ts";
import { humanSize } from "../../../lib/text/units.ts";
import type { ImageLine, LayerLine, LayerNameLine } from "../../../types/image-report.ts";
import { alignTabs } from "../tabwriter.ts";
import { ellipsis } from "../text.ts";

export const size = (bytes: number): string => humanSize(bytes, 3);
const letters = { added: "A", changed: "C", hidden: "D" } as const;

/** What one layer does, as a table of all of them: lowest first. */
export function layersTable(image: ImageLine, lines: readonly LayerLine[], whole: boolean): string {
  const rows = lines.map(({ layer, added, changed, hidden, wastedBytes }) => {
    const { size: bytes = 0, createdBy = "", sharedBy = 0, diffId = "" } = image.layers[layer] ?? {};
    const by = createdBy.replaceAll(/\s+/g, " ");
    const id = diffId.slice("sha256:".length);
    return [
      String(layer + 1),
      whole ? id : id.slice(0, 12),
      size(bytes),
      `+${added} ~${changed} -${hidden}`,
      size(wastedBytes),
      sharedBy === 0 ? "-" : String(sharedBy),
      whole ? by : ellipsis(by, 60),
    ].join("\t");
  });
  return alignTabs(["#\tLAYER\tSIZE\tFILES\tWASTED\tSHARED BY\tCREATED BY", ...rows].join("\n"));
}

/** One name of a layer: what happened to it, its size, what it costs below. */
export function nameLine({ kind, path, size: bytes, wasted, type, link }: LayerNameLine): string {
  const target = link === undefined ? "" : ` -> ${link}`;
  const cost = wasted > 0 ? `  (${size(wasted)} wasted below)` : "";
  const slash = type === "directory" ? "/" : "";
  return `${letters[kind]} ${size(bytes).padStart(8)}  ${path}${slash}${target}${cost}`;
}

/** What the image holds and what of it shows. */
export function layersSummary(image: ImageLine, lines: readonly LayerLine[]): string {
  const total = image.layers.reduce((sum, layer) => sum + layer.size, 0);
  const wasted = lines.reduce((sum, line) => sum + line.wastedBytes, 0);
  const shown = total === 0 ? 100 : Math.max(0, Math.round(((total - wasted) / total) * 1000) / 10);
  return `${counted(lines.length, "layer")}, ${size(total)}; ${size(wasted)} of it wasted (${shown} % shows)`;
}
