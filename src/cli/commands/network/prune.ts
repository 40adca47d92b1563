import { defineCommand, none } from "../../command.ts";
import { deletedList, mayPrune, pruneFlags, pruneQuery } from "../../prune.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: pruneFlags,
  async run({ session, flags }) {
    if (
      !(await mayPrune(
        session,
        flags.force,
        "This will remove all custom networks not used by at least one container.",
      ))
    )
      return 0;
    const { NetworksDeleted } = await session.client.json<{ NetworksDeleted: string[] | null }>(
      "POST",
      "/networks/prune",
      { query: pruneQuery(session, flags.filter) },
    );
    session.write(deletedList("Deleted Networks", NetworksDeleted));
    return 0;
  },
});
