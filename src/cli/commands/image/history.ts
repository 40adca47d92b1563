import { shortId } from "../../../lib/ids.ts";
import { humanDuration, humanSize } from "../../../lib/text/units.ts";
import type { ImageHistoryItem } from "../../../types/api.ts";
import { defineCommand, exactly } from "../../command.ts";
import { listFormat, platform } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { imagePath, platformQuery } from "../../images/image-path.ts";
import { formatList } from "../../output/formatter.ts";
import type { RowKind } from "../../output/row-kind.ts";
import { ellipsis, localRfc3339 } from "../../output/text.ts";

export const command = defineCommand({
  usage: "IMAGE",
  arity: exactly(1),
  flags: {
    format: listFormat(),
    human: bool("human,H", "Show sizes and times in words", true),
    noTrunc: bool("no-trunc", "Do not shorten"),
    platform: platform("Platform of the image (os[/arch[/variant]])"),
    quiet: bool("quiet,q", "Show only ids"),
  },
  async run({ session, args, flags }) {
    const items = await session.client.json<ImageHistoryItem[]>("GET", imagePath(args[0] ?? "", "/history"), {
      query: { platform: platformQuery(flags.platform, "invalid platform: ") },
    });
    const created = flags.human ? "{{.CreatedSince}}" : "{{.CreatedAt}}";
    session.write(
      formatList(rows(flags.noTrunc, flags.human), items, {
        format: flags.format,
        quiet: flags.quiet,
        table: `{{.ID}}\t${created}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`,
        quietTemplate: "{{.ID}}",
      }),
    );
    return 0;
  },
});

const rows = (noTrunc: boolean, human: boolean): RowKind<ImageHistoryItem> => ({
  goType: "*image.historyContext",
  headers: {
    ID: "IMAGE",
    CreatedAt: human ? "CREATED" : "CREATED AT",
    CreatedSince: "CREATED",
    CreatedBy: "CREATED BY",
    Size: "SIZE",
    Comment: "COMMENT",
  },
  fields: {
    ID: ({ Id }) => (noTrunc ? Id : shortId(Id)),
    CreatedAt: ({ Created }) => (Created <= 0 ? "" : localRfc3339(Created)),
    CreatedSince: ({ Created }) =>
      human
        ? Created <= 0
          ? "N/A"
          : `${humanDuration(Date.now() / 1000 - Created)} ago`
        : localRfc3339(Created),
    CreatedBy: ({ CreatedBy }) =>
      noTrunc ? CreatedBy.replaceAll("\t", " ") : ellipsis(CreatedBy.replaceAll("\t", " "), 45),
    Size: ({ Size }) => (human ? humanSize(Size, 3) : String(Size)),
    Comment: ({ Comment }) => Comment,
  },
});
