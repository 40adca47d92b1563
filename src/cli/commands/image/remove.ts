import { isNotFound } from "../../../client/errors.ts";
import type { ImageDeleteItem } from "../../../types/api.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { CliError } from "../../errors.ts";
import { bool, strings } from "../../flags/flag.ts";
import { imagePath, platformQuery } from "../../images/image-path.ts";

export const command = defineCommand({
  hosted: true,
  usage: "IMAGE [IMAGE...]",
  arity: atLeast(1),
  flags: {
    force: bool("force,f", "Remove it even if containers or other names refer to it"),
    noPrune: bool("no-prune", "Keep its untagged parents"),
    platform: strings("platform", "Remove only this platform of it"),
  },
  async run({ session, args, flags }) {
    const errors: string[] = [];
    let fatal = false;
    for (const name of args) {
      try {
        const removed = await session.client.json<ImageDeleteItem[]>("DELETE", imagePath(name), {
          query: {
            force: flags.force || undefined,
            noprune: flags.noPrune || undefined,
            platforms: flags.platform.flatMap((each) => platformQuery(each) ?? []),
          },
        });
        for (const item of removed)
          session.out("Deleted" in item ? `Deleted: ${item.Deleted}` : `Untagged: ${item.Untagged}`);
      } catch (error) {
        fatal ||= !isNotFound(error);
        errors.push((error as Error).message);
      }
    }
    if (errors.length === 0) return 0;
    if (!flags.force || fatal) throw new CliError(errors.join("\n"));
    session.err(errors.join("\n"));
    return 0;
  },
});
