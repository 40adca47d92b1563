import type { DiskUsage } from "../../../types/api.ts";
import { defineCommand, none } from "../../command.ts";
import { listFormat } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { formatList } from "../../output/formatter.ts";
import { summaryRow, summaryRows, verbose, verboseBy } from "../../output/rows/disk-usage.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: { format: listFormat(), verbose: bool("verbose,v", "Show each image, container and volume") },
  async run({ session, flags }) {
    const usage = await session.client.json<DiskUsage>("GET", "/system/df");
    if (flags.verbose) {
      const plain = flags.format === "" || flags.format === "table";
      session.write(plain ? verbose(usage) : verboseBy(flags.format, usage));
      return 0;
    }
    session.write(
      formatList(summaryRow, summaryRows(usage), {
        format: flags.format,
        table: "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
        raw: "type: {{.Type}}\ntotal: {{.TotalCount}}\nactive: {{.Active}}\nsize: {{.Size}}\nreclaimable: {{.Reclaimable}}\n",
      }),
    );
    return 0;
  },
});
