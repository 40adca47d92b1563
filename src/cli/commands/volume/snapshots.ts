import { defineCommand, exactly } from "../../command.ts";
import { listFormat } from "../../flags/common.ts";
import { bool, strings } from "../../flags/flag.ts";
import { formatList } from "../../output/formatter.ts";
import type { RowKind } from "../../output/row-kind.ts";
import { volumePath } from "./path.ts";

interface Snapshot {
  Name: string;
  CreatedAt: string;
}

export const command = defineCommand({
  usage: "VOLUME",
  description: "List a volume's snapshots, or remove some",
  arity: exactly(1),
  flags: {
    format: listFormat(),
    quiet: bool("quiet,q", "Show only names"),
    rm: strings("rm", "Remove this snapshot"),
  },
  async run({ session, args, flags }) {
    const [name = ""] = args;
    for (const snapshot of flags.rm) {
      await session.client.call("DELETE", volumePath(name, `/snapshots/${encodeURIComponent(snapshot)}`));
      session.out(snapshot);
    }
    if (flags.rm.length > 0) return 0;
    const snapshots = await session.client.json<Snapshot[]>("GET", volumePath(name, "/snapshots"));
    session.write(
      formatList(rows, snapshots, {
        format: flags.format,
        quiet: flags.quiet,
        table: "{{.Name}}\t{{.CreatedAt}}",
        quietTemplate: "{{.Name}}",
      }),
    );
    return 0;
  },
});

const rows: RowKind<Snapshot> = {
  goType: "*formatter.snapshotContext",
  headers: { Name: "SNAPSHOT", CreatedAt: "CREATED AT" },
  fields: { Name: ({ Name }) => Name, CreatedAt: ({ CreatedAt }) => CreatedAt },
};
