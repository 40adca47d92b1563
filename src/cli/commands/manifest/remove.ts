import { atLeast, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { named } from "./local/reference.ts";
import { readList, removeList } from "./local/store.ts";

export const command = defineCommand({
  usage: "MANIFEST_LIST [MANIFEST_LIST...]",
  usageWithoutOptions: true,
  description: "Remove lists from this machine; what was pushed stays at its registry.",
  arity: atLeast(1),
  flags: {},
  async run({ session, args }) {
    const errors: string[] = [];
    for (const name of args) {
      try {
        const list = named(name);
        readList(session, list);
        removeList(session, list);
      } catch (error) {
        errors.push((error as Error).message);
      }
    }
    if (errors.length > 0) throw new CliError(errors.join("\n"));
    return 0;
  },
});
