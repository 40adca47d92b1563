import { list } from "../../../client/containers.ts";
import { Template } from "../../../lib/go-template/template.ts";
import { defineCommand, none } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { filters, listFormat } from "../../flags/common.ts";
import { bool, int } from "../../flags/flag.ts";
import { containerRows, containerTable, rawContainer } from "../../output/container-rows.ts";
import { formatList, Row, resolveFormat } from "../../output/formatter.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {
    all: bool("all,a", "Show all containers, not only those that run"),
    filter: filters(),
    format: listFormat(),
    last: int("last,n", "Show the n containers created last, in any state", -1),
    latest: bool("latest,l", "Show the container created last, in any state"),
    noTrunc: bool("no-trunc", "Do not shorten"),
    quiet: bool("quiet,q", "Show only ids"),
    size: bool("size,s", "Show sizes of files"),
    why: bool("why", "Show why those that do not run ended"),
  },
  async run({ session, flags, changed }) {
    const format = flags.format || session.config.psFormat || "";
    const limit = flags.latest && flags.last === -1 ? 1 : flags.last;
    const list_ = {
      format,
      quiet: flags.quiet,
      table: containerTable(flags.size, flags.why),
      quietTemplate: "{{.ID}}",
      raw: rawContainer(flags.quiet, flags.size),
    };
    const size = changed("size")
      ? flags.size
      : flags.size || needsSize(resolveFormat(list_).template, flags.noTrunc);
    const containers = await list(session.client, { all: flags.all, limit, size, filters: flags.filter });
    session.write(formatList(containerRows(flags.noTrunc), containers, list_));
    return 0;
  },
});

/** Sizes cost the engine a walk through the files, so they are asked for only where the template shows them. */
function needsSize(source: string, noTrunc: boolean): boolean {
  let template: Template;
  try {
    template = Template.parse(source);
  } catch (error) {
    throw new CliError(`failed to parse template: ${(error as Error).message}`);
  }
  const kind = containerRows(noTrunc);
  let asked = false;
  const spy = {
    ...kind,
    fields: {
      ...kind.fields,
      Size: () => {
        asked = true;
        return "";
      },
    },
  };
  try {
    template.render(new Row(spy, emptyContainer));
  } catch (error) {
    throw new CliError(`failed to execute template: ${(error as Error).message}`);
  }
  return asked && !source.includes("json .");
}

const emptyContainer: Parameters<ReturnType<typeof containerRows>["fields"][string]>[0] = {
  Id: "",
  Names: [],
  Image: "",
  ImageID: "",
  Command: "",
  Created: 0,
  Ports: [],
  Labels: {},
  State: "created",
  Status: "",
  HostConfig: { NetworkMode: "" },
  NetworkSettings: { Networks: {} },
  Mounts: [],
};
