import { defineCommand, none } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool } from "../../flags/flag.ts";
import { deletedList, mayPrune, pruneFlags, pruneQuery, reclaimed } from "../../prune.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: { ...pruneFlags, all: bool("all,a", "Remove named volumes too, not only anonymous ones") },
  async run({ session, flags }) {
    if (flags.all && flags.filter.some(({ key }) => key === "all"))
      throw new CliError("conflicting options: cannot specify both --all and --filter all=1");
    const warning = flags.all
      ? "This will remove all local volumes not used by at least one container."
      : "This will remove anonymous local volumes not used by at least one container.";
    if (!(await mayPrune(session, flags.force, warning))) return 0;
    const { VolumesDeleted, SpaceReclaimed } = await session.client.json<{
      VolumesDeleted: string[] | null;
      SpaceReclaimed: number;
    }>("POST", "/volumes/prune", {
      query: pruneQuery(session, flags.filter, flags.all ? [{ key: "all", value: "true" }] : []),
    });
    session.write(deletedList("Deleted Volumes", VolumesDeleted));
    session.out(reclaimed(SpaceReclaimed));
    return 0;
  },
});
