import { filterQuery } from "../../../client/query.ts";
import { compareNaturally } from "../../../lib/text/natural-order.ts";
import type { Volume } from "../../../types/api.ts";
import { defineCommand, none } from "../../command.ts";
import { filters, listFormat } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { formatList, isPlain, resolveFormat } from "../../output/formatter.ts";
import { volumeRows } from "../../output/rows/volume-rows.ts";

export const command = defineCommand({
  hosted: true,
  usage: "",
  arity: none,
  flags: {
    cluster: bool("cluster", "Show cluster volumes only", false, { hidden: true }),
    filter: filters(),
    format: listFormat(),
    quiet: bool("quiet,q", "Show only names"),
  },
  async run({ session, flags }) {
    const format = flags.format || (flags.quiet ? "" : session.config.volumesFormat) || "";
    const list = {
      format,
      quiet: flags.quiet,
      table: "{{.Driver}}\t{{.Name}}",
      quietTemplate: "{{.Name}}",
      raw: "name: {{.Name}}\ndriver: {{.Driver}}\n",
    };
    if (format !== "" && !isPlain(volumeRows, resolveFormat(list).template))
      session.around.needsProcess("a template");
    const { Volumes } = await session.client.json<{ Volumes: Volume[] | null }>("GET", "/volumes", {
      query: { filters: filterQuery(flags.filter) },
    });
    if (flags.cluster) {
      // only a swarm has such volumes
      if (!flags.quiet) session.out("VOLUME NAME   GROUP     DRIVER    AVAILABILITY   STATUS");
      return 0;
    }
    const volumes = (Volumes ?? []).sort((a, b) => compareNaturally(a.Name, b.Name));
    session.write(formatList(volumeRows, volumes, list));
    return 0;
  },
});
