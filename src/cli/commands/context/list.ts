import { compareNaturally } from "../../../lib/text/natural-order.ts";
import { defineCommand, none } from "../../command.ts";
import { defaultDescription, listContexts } from "../../contexts/store.ts";
import { defaultHost } from "../../endpoint.ts";
import { listFormat } from "../../flags/common.ts";
import { bool } from "../../flags/flag.ts";
import { formatList } from "../../output/formatter.ts";
import type { RowKind } from "../../output/row-kind.ts";

interface ContextRow {
  name: string;
  description: string;
  endpoint: string;
  current: boolean;
}

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: { format: listFormat(), quiet: bool("quiet,q", "Show only names") },
  async run({ session, flags }) {
    const current = session.endpoint.context;
    const environment = process.env["BERTH_HOST"] || process.env["DOCKER_HOST"];
    const rows: ContextRow[] = [
      {
        name: "default",
        description: defaultDescription,
        endpoint: environment || defaultHost,
        current: current === "default",
      },
      ...listContexts(session.configFolder).map((meta) => ({
        name: meta.Name,
        description: meta.Metadata.Description ?? "",
        endpoint: meta.Endpoints.docker?.Host ?? "",
        current: current === meta.Name,
      })),
    ].sort((a, b) => compareNaturally(a.name, b.name));
    session.write(
      formatList(kind, rows, {
        format: flags.format,
        quiet: flags.quiet,
        table: "{{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}",
        quietTemplate: "{{.Name}}",
      }),
    );
    if (environment && current === "default")
      session.err(
        `Warning: ${process.env["BERTH_HOST"] ? "BERTH_HOST" : "DOCKER_HOST"} environment variable overrides the active context. To use a context, either set the global --context flag, or unset ${process.env["BERTH_HOST"] ? "BERTH_HOST" : "DOCKER_HOST"} environment variable.`,
      );
    return 0;
  },
});

const kind: RowKind<ContextRow> = {
  goType: "*formatter.clientContextContext",
  headers: { Name: "NAME", Description: "DESCRIPTION", DockerEndpoint: "DOCKER ENDPOINT", Error: "ERROR" },
  fields: {
    Name: ({ name }) => name,
    Description: ({ description }) => description,
    DockerEndpoint: ({ endpoint }) => endpoint,
    Current: ({ current }) => current,
    Error: () => "",
  },
};
