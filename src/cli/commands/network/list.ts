import { filterQuery } from "../../../client/query.ts";
import { shortId } from "../../../lib/ids.ts";
import { compareNaturally } from "../../../lib/text/natural-order.ts";
import type { NetworkInspect } from "../../../types/api.ts";
import { defineCommand, none } from "../../command.ts";
import { filters, listFormat } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { formatList, isPlain, resolveFormat } from "../../output/formatter.ts";
import type { RowKind } from "../../output/row-kind.ts";
import { goTime, joinLabels } from "../../output/text.ts";

export const command = defineCommand({
  hosted: true,
  usage: "",
  arity: none,
  flags: {
    filter: filters(),
    format: listFormat(),
    noTrunc: bool("no-trunc", "Do not shorten"),
    quiet: bool("quiet,q", "Show only ids"),
  },
  async run({ session, flags }) {
    const format = flags.format || (flags.quiet ? "" : session.config.networksFormat) || "";
    const list = {
      format,
      quiet: flags.quiet,
      table: "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
      quietTemplate: "{{.ID}}",
      raw: "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n",
    };
    if (format !== "" && !isPlain(rows(flags.noTrunc), resolveFormat(list).template))
      session.around.needsProcess("a template");
    const networks = await session.client.json<NetworkInspect[]>("GET", "/networks", {
      query: { filters: filterQuery(flags.filter) },
    });
    networks.sort((a, b) => compareNaturally(a.Name, b.Name));
    session.write(formatList(rows(flags.noTrunc), networks, list));
    return 0;
  },
});

const rows = (noTrunc: boolean): RowKind<NetworkInspect> => ({
  goType: "*network.networkContext",
  headers: {
    ID: "NETWORK ID",
    Name: "NAME",
    Driver: "DRIVER",
    Scope: "SCOPE",
    IPv4: "IPV4",
    IPv6: "IPV6",
    Internal: "INTERNAL",
    Labels: "LABELS",
    CreatedAt: "CREATED AT",
  },
  fields: {
    ID: ({ Id }) => (noTrunc ? Id : shortId(Id)),
    Name: ({ Name }) => Name,
    Driver: ({ Driver }) => Driver,
    Scope: ({ Scope }) => Scope,
    IPv4: ({ EnableIPv4 }) => String(EnableIPv4),
    IPv6: ({ EnableIPv6 }) => String(EnableIPv6),
    Internal: ({ Internal }) => String(Internal),
    Labels: ({ Labels }) => joinLabels(Labels),
    CreatedAt: ({ Created }) => goTime(Created),
  },
  methods: {
    Label:
      ({ Labels }) =>
      (name) =>
        Labels?.[String(name)] ?? "",
  },
});
