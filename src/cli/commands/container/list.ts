import { list } from "../../../client/containers.ts";
import { defineCommand, none } from "../../command.ts";
import { filters, listFormat } from "../../flags/common.ts";
import { bool, int } from "../../flags/flag.ts";
import { formatList, isPlain, plainFields, resolveFormat } from "../../output/formatter.ts";
import { containerRows, containerTable, rawContainer } from "../../output/rows/container-rows.ts";

export const command = defineCommand({
  hosted: true,
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
    const asked = flags.format || session.config.psFormat || "";
    if (flags.quiet && flags.format)
      session.err("WARNING: Ignoring custom format, because both --format and --quiet are set.");
    const format = flags.quiet && asked !== "raw" ? "" : asked;
    const limit = flags.latest && flags.last === -1 ? 1 : flags.last;
    const list_ = {
      format,
      quiet: flags.quiet,
      table: containerTable(flags.size, flags.why),
      quietTemplate: "{{.ID}}",
      raw: rawContainer(flags.quiet, flags.size),
    };
    const { template } = resolveFormat(list_);
    if (format !== "" && !isPlain(containerRows(flags.noTrunc), template))
      session.around.needsProcess("a template");
    const size = changed("size")
      ? flags.size
      : flags.size || (format !== "json" && needsSize(template, flags.noTrunc));
    const why = flags.why || format.includes("Reason");
    const containers = await list(session.blockingClient, {
      all: flags.all,
      limit,
      size,
      why,
      filters: flags.filter,
    });
    session.write(formatList(containerRows(flags.noTrunc), containers, list_));
    return 0;
  },
});

/** Sizes cost the engine a walk through the files, so they are asked for only where the format shows them. */
function needsSize(format: string, noTrunc: boolean): boolean {
  const fields = plainFields(format);
  const known = containerRows(noTrunc).fields;
  if (fields?.every((field) => Object.hasOwn(known, field))) return fields.includes("Size");
  const { asksForSize } =
    require("../../output/size-asked.ts") as typeof import("../../output/size-asked.ts");
  return asksForSize(format, noTrunc);
}
