import { humanSize } from "../../../lib/text/units.ts";
import { any, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { listFormat } from "../../flags/common.ts";
import { formatList } from "../../output/formatter.ts";
import type { RowKind } from "../../output/row-kind.ts";

interface Usage {
  Name: string;
  Driver: string;
  Size: number;
  Users: string[];
  Snapshots: number;
  Pinned: boolean;
}

export const command = defineCommand({
  usage: "[VOLUME...]",
  description: "Show what volumes take on disk, the largest first",
  arity: any,
  flags: { format: listFormat() },
  async run({ session, args, flags }) {
    const all = await session.client.json<Usage[]>("GET", "/system/df/volumes");
    const missing = args.find((name) => !all.some(({ Name }) => Name === name));
    if (missing !== undefined) throw new CliError(`get ${missing}: no such volume`);
    const shown = all
      .filter(({ Name }) => args.length === 0 || args.includes(Name))
      .sort((a, b) => b.Size - a.Size || (a.Name < b.Name ? -1 : 1));
    session.write(
      formatList(rows, shown, {
        format: flags.format,
        quiet: false,
        table: "{{.Name}}\t{{.Size}}\t{{.Users}}\t{{.Snapshots}}\t{{.Pinned}}",
        quietTemplate: "{{.Name}}",
      }),
    );
    return 0;
  },
});

const rows: RowKind<Usage> = {
  goType: "*formatter.volumeUsageContext",
  headers: {
    Name: "VOLUME NAME",
    Driver: "DRIVER",
    Size: "SIZE",
    Users: "CONTAINERS",
    Snapshots: "SNAPSHOTS",
    Pinned: "PINNED",
  },
  fields: {
    Name: ({ Name }) => Name,
    Driver: ({ Driver }) => Driver,
    Size: ({ Size }) => (Size < 0 ? "N/A" : humanSize(Size, 3)),
    Users: ({ Users }) => String(Users.length),
    Snapshots: ({ Snapshots }) => String(Snapshots),
    Pinned: ({ Pinned }) => (Pinned ? "yes" : ""),
  },
};
