import type { ImageDeleteItem } from "../../../types/api.ts";
import { defineCommand, none } from "../../command.ts";
import { bool } from "../../flags/flag.ts";
import { deletedImages, mayPrune, pruneFlags, pruneQuery, reclaimed } from "../../prune.ts";

export const command = defineCommand({
  usage: "",
  arity: none,
  flags: { ...pruneFlags, all: bool("all,a", "Remove all unused images, not only those without a name") },
  async run({ session, flags }) {
    const warning = flags.all
      ? "This will remove all images without at least one container associated to them."
      : "This will remove all dangling images.";
    if (!(await mayPrune(session, flags.force, warning))) return 0;
    const { ImagesDeleted, SpaceReclaimed } = await session.client.json<{
      ImagesDeleted: ImageDeleteItem[] | null;
      SpaceReclaimed: number;
    }>("POST", "/images/prune", {
      query: pruneQuery(session, flags.filter, [{ key: "dangling", value: String(!flags.all) }]),
    });
    session.write(deletedImages(ImagesDeleted));
    session.out(reclaimed(SpaceReclaimed));
    return 0;
  },
});
