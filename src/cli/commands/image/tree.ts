import { shortId } from "../../../lib/ids.ts";
import type { ImageInspect, ImageSummary } from "../../../types/api.ts";
import { defineCommand, none } from "../../command.ts";
import { bool } from "../../flags/flag.ts";
import { imagePath } from "../../images/image-path.ts";
import { size } from "../../output/rows/image-layers.ts";

interface Entry {
  summary: ImageSummary;
  layers: string[];
  children: Entry[];
}

/** Images by what they stand on: below each image those whose layers begin with all of its own. */
export const command = defineCommand({
  usage: "",
  arity: none,
  flags: { all: bool("all,a", "Show intermediate images too"), noTrunc: bool("no-trunc", "Do not shorten") },
  async run({ session, flags }) {
    const summaries = await session.client.json<ImageSummary[]>("GET", "/images/json", {
      query: { all: flags.all ? "1" : undefined },
    });
    const entries = await Promise.all(
      summaries.map(async (summary): Promise<Entry> => {
        const { RootFS } = await session.client.json<ImageInspect>("GET", imagePath(summary.Id, "/json"));
        return { summary, layers: RootFS.Layers ?? [], children: [] };
      }),
    );
    const print = (entry: Entry, before: Entry | undefined, lead: string, mark: string): void => {
      const { RepoTags, Id, Size } = entry.summary;
      const name = RepoTags.length > 0 ? RepoTags.join(", ") : "<none>";
      const id = flags.noTrunc ? Id : shortId(Id);
      const grown = before === undefined ? size(Size) : `+${size(Math.max(0, Size - before.summary.Size))}`;
      session.out(`${lead}${mark}${name}  ${id}  ${grown}`);
      const inner = lead + (mark === "" ? "" : mark === "└── " ? "    " : "│   ");
      for (const [index, child] of entry.children.entries())
        print(child, entry, inner, index === entry.children.length - 1 ? "└── " : "├── ");
    };
    for (const root of rootsOf(entries)) print(root, undefined, "", "");
    return 0;
  },
});

/** Puts each image below the one it shares the most layers with, and gives those that stand on none. */
function rootsOf(entries: Entry[]): Entry[] {
  const sorted = [...entries].sort(
    (a, b) => a.layers.length - b.layers.length || a.summary.Created - b.summary.Created,
  );
  const roots: Entry[] = [];
  for (const [index, entry] of sorted.entries()) {
    const below = sorted
      .slice(0, index)
      .findLast(
        ({ layers }) =>
          layers.length > 0 && layers.every((layer, position) => entry.layers[position] === layer),
      );
    if (below) below.children.push(entry);
    else roots.push(entry);
  }
  return roots;
}
