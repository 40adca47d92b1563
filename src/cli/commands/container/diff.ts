import { at } from "../../../client/containers.ts";
import { defineCommand, exactly } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { listFormat } from "../../flags/common.ts";
import { formatList } from "../../output/formatter.ts";

const kinds = ["C", "A", "D"];

interface Change {
  Kind: number;
  Path: string;
}

export const command = defineCommand({
  usage: "CONTAINER",
  arity: exactly(1),
  flags: { format: { ...listFormat(), hidden: true } },
  async run({ session, args, flags }) {
    if (args[0] === "") throw new CliError("Container name cannot be empty");
    const changes = (await session.client.json<Change[] | null>("GET", at(args[0] ?? "", "/changes"))) ?? [];
    const rows = {
      goType: "*container.diffContext",
      headers: { Type: "CHANGE TYPE", Path: "PATH" },
      fields: { Type: ({ Kind }: Change) => kinds[Kind] ?? "", Path: ({ Path }: Change) => Path },
    };
    session.write(
      formatList(rows, changes, {
        format: flags.format || "{{.Type}} {{.Path}}",
        table: "{{.Type}}\t{{.Path}}",
      }),
    );
    return 0;
  },
});
