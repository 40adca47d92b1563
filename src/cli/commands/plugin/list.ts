import { filterQuery } from "../../../client/query.ts";
import { defineCommand, none } from "../../command.ts";
import { filters, listFormat } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { formatList } from "../../output/formatter.ts";
import type { RowKind } from "../../output/row-kind.ts";

interface Plugin {
  Id?: string;
  Name: string;
  Enabled: boolean;
  PluginReference?: string;
  Config: { Description: string };
}

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {
    filter: filters(),
    format: listFormat(),
    noTrunc: bool("no-trunc", "Do not cut what is long"),
    quiet: bool("quiet,q", "Show only ids"),
  },
  async run({ session, flags }) {
    const plugins = await session.client.json<Plugin[]>("GET", "/plugins", {
      query: { filters: filterQuery(flags.filter) },
    });
    session.write(
      formatList(rows(flags.noTrunc), plugins, {
        format: flags.format,
        quiet: flags.quiet,
        table: "{{.ID}}\t{{.Name}}\t{{.Description}}\t{{.Enabled}}",
        quietTemplate: "{{.ID}}",
        raw: "plugin_id: {{.ID}}\nname: {{.Name}}\ndescription: {{.Description}}\nenabled: {{.Enabled}}\n",
      }),
    );
    return 0;
  },
});

const shown = 12;

const rows = (whole: boolean): RowKind<Plugin> => ({
  goType: "*formatter.pluginContext",
  headers: {
    ID: "ID",
    Name: "NAME",
    Description: "DESCRIPTION",
    Enabled: "ENABLED",
    PluginReference: "PLUGIN REFERENCE",
  },
  fields: {
    ID: ({ Id = "" }) => (whole ? Id : Id.slice(0, shown)),
    Name: ({ Name }) => Name,
    Description: ({ Config }) => Config.Description,
    Enabled: ({ Enabled }) => Enabled,
    PluginReference: ({ PluginReference = "" }) => PluginReference,
  },
});
