import { filterQuery } from "../../../client/client.ts";
import type { ImageSummary } from "../../../types/api.ts";
import { atMost, defineCommand } from "../../command.ts";
import { filters, listFormat } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { formatList } from "../../output/formatter.ts";
import { imageRows, imageTable, toRows } from "../../output/image-rows.ts";

export const command = defineCommand({
  usage: "[REPOSITORY[:TAG]]",
  arity: atMost(1),
  flags: {
    all: bool("all,a", "Show intermediate images too"),
    digests: bool("digests", "Show digests"),
    filter: filters(),
    format: listFormat(),
    noTrunc: bool("no-trunc", "Do not shorten"),
    quiet: bool("quiet,q", "Show only ids"),
    tree: bool("tree", "Show the platforms of each image", false, { hidden: true }),
  },
  async run({ session, flags, args }) {
    const wanted = [...flags.filter, ...(args[0] ? [{ key: "reference", value: args[0] }] : [])];
    const images = await session.client.json<ImageSummary[]>("GET", "/images/json", {
      query: { all: flags.all || undefined, filters: filterQuery(wanted) },
    });
    const format = flags.format || session.config.imagesFormat || "";
    const showDigests = flags.digests || format.includes("{{.Digest}}");
    const rows = images.sort((a, b) => b.Created - a.Created).flatMap((image) => toRows(image, showDigests));
    session.write(
      formatList(imageRows(flags.noTrunc), rows, {
        format,
        quiet: flags.quiet,
        table: imageTable(flags.digests),
        quietTemplate: "{{.ID}}",
      }),
    );
    return 0;
  },
});
