import { shortId } from "../../../lib/ids.ts";
import type { ImageSummary } from "../../../types/api.ts";
import { any, defineCommand } from "../../command.ts";
import { each } from "../../each.ts";
import { imagePath } from "../../images/image-path.ts";

/** Without a name it lists what is pinned. */
export const command = defineCommand({
  usage: "[IMAGE...]",
  arity: any,
  flags: {},
  async run({ session, args }) {
    if (args.length === 0) {
      const pinned = await session.client.json<ImageSummary[]>("GET", "/berth/images/pins");
      for (const { Id, RepoTags } of pinned)
        session.out(`${shortId(Id)}  ${RepoTags.join(", ") || "<none>"}`);
      return 0;
    }
    return each(session, args, (name) => session.client.call("POST", `/berth${imagePath(name, "/pin")}`));
  },
});
