import { defineCommand, none } from "../../command.ts";
import { deletedList, mayPrune, pruneFlags, pruneQuery, reclaimed } from "../../prune.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: pruneFlags,
  async run({ session, flags }) {
    if (!(await mayPrune(session, flags.force, "This will remove all stopped containers."))) return 0;
    const { ContainersDeleted, SpaceReclaimed } = await session.client.json<{
      ContainersDeleted: string[] | null;
      SpaceReclaimed: number;
    }>("POST", "/containers/prune", { query: pruneQuery(session, flags.filter) });
    session.write(deletedList("Deleted Containers", ContainersDeleted));
    session.out(reclaimed(SpaceReclaimed));
    return 0;
  },
});
