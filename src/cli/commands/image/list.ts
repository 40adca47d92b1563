import { filterQuery } from "../../../client/query.ts";
import type { ImageSummary } from "../../../types/api.ts";
import { atMost, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { filters, listFormat } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { formatList, isPlain, resolveFormat } from "../../output/formatter.ts";
import { imageRows, imageTable, rawImage, toRows } from "../../output/rows/image-rows.ts";

export const command = defineCommand({
  hosted: true,
  usage: "[REPOSITORY[:TAG]]",
  arity: atMost(1),
  flags: {
    all: bool("all,a", "Show intermediate images too"),
    digests: bool("digests", "Show digests"),
    filter: filters(),
    format: listFormat(),
    noTrunc: bool("no-trunc", "Do not shorten"),
    quiet: bool("quiet,q", "Show only ids"),
    tree: bool("tree", "Show each image once, under all its names, with its platforms"),
  },
  async run({ session, flags, args }) {
    if (flags.tree) {
      session.around.needsProcess("--tree");
      refuseWithTree(flags);
    }
    const format = flags.format || (flags.quiet ? "" : session.config.imagesFormat) || "";
    const list = {
      format,
      quiet: flags.quiet,
      table: imageTable(flags.digests),
      quietTemplate: "{{.ID}}",
      raw: rawImage(flags.quiet, flags.digests),
    };
    if (format !== "" && !isPlain(imageRows(flags.noTrunc), resolveFormat(list).template))
      session.around.needsProcess("a template");
    const wanted = [...flags.filter, ...(args[0] ? [{ key: "reference", value: args[0] }] : [])];
    const images = await session.client.json<ImageSummary[]>("GET", "/images/json", {
      query: {
        all: flags.all || undefined,
        filters: filterQuery(wanted),
        manifests: flags.tree ? "1" : undefined,
      },
    });
    if (flags.tree) {
      const { showTree } = await import("./list-tree.ts");
      return showTree(session, images, flags.all);
    }
    const showDigests = flags.digests || format.includes("{{.Digest}}");
    const rows = images.sort((a, b) => b.Created - a.Created).flatMap((image) => toRows(image, showDigests));
    session.write(formatList(imageRows(flags.noTrunc), rows, list));
    return 0;
  },
});

function refuseWithTree(flags: { quiet: boolean; noTrunc: boolean; digests: boolean; format: string }): void {
  const other = [
    flags.quiet && "quiet",
    flags.noTrunc && "no-trunc",
    flags.digests && "show-digest",
    flags.format && "format",
  ].find(Boolean);
  if (other) throw new CliError(`--${other} is not yet supported with --tree`);
}
